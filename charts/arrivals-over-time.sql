-- When were the products last updated?
-- One row for each minute, hour, day, month or year with products; the unit depends on the time between the first and
-- the last of them.
WITH span AS (
  SELECT
    CASE
      WHEN max(as_of) < min(as_of) + INTERVAL 2 HOURS THEN 'minute'
      WHEN max(as_of) < min(as_of) + INTERVAL 3 DAYS THEN 'hour'
      WHEN max(as_of) < min(as_of) + INTERVAL 90 DAYS THEN 'day'
      WHEN max(as_of) < min(as_of) + INTERVAL 6 YEARS THEN 'month'
      ELSE 'year'
    END AS unit
  FROM Products
),
arrived AS (
  SELECT unit, date_trunc(unit, as_of) AS start
  FROM Products
  CROSS JOIN span
)
SELECT
  date_format(start, "yyyy-MM-dd'T'HH:mm:ss") AS start_time,
  count(*) AS products,
  date_format(
    start + make_interval(
      int(unit = 'year'), int(unit = 'month'), 0, int(unit = 'day'), int(unit = 'hour'), int(unit = 'minute')
    ),
    "yyyy-MM-dd'T'HH:mm:ss"
  ) AS end_time,
  unit,
  sum(count(*)) OVER () AS total
FROM arrived
GROUP BY unit, start
ORDER BY start
