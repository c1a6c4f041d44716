-- When do visitors come? One row for each hour with visits.
SELECT
  date_format(date_trunc('hour', first_at), "yyyy-MM-dd'T'HH:mm:ss") AS start_time,
  count(*) AS visits,
  sum(count(*)) OVER () AS total
FROM lake.shop.visits
GROUP BY date_trunc('hour', first_at)
ORDER BY 1
