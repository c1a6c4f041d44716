-- One row for each visit, which is the clicks of a session. How far it got: 1 a page, 2 the basket, 3 the checkout,
-- 4 the order.
SELECT
  session,
  min(at) AS first_at,
  max(at) AS last_at,
  count(*) AS clicks,
  min_by(coalesce(referrer, 'unknown'), at) AS referrer,
  CASE
    WHEN bool_or(action = 'order') THEN 4
    WHEN bool_or(action = 'checkout') THEN 3
    WHEN bool_or(action = 'add') THEN 2
    ELSE 1
  END AS step
FROM lake.shop.clicks
GROUP BY session
