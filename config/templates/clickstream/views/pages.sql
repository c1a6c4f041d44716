-- One row for each page: how often it was viewed, and in how many visits.
SELECT page, count(*) AS views, count(DISTINCT session) AS visits
FROM lake.shop.clicks
WHERE action = 'view'
GROUP BY page
