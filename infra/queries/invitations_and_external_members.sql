-- Invitations, and members from outside your organisation.
-- The query lists every invitation, and every new member whose email address is unknown or not in your own domains.
--
-- Controls: SOC 2 CC6.2, CC6.6; ISO 27001 A.5.16, A.5.19; PCI DSS 10.2.1.5
-- Parameters:
--   domains  text  e.g. example.com,example.org  your own email domains
WITH joining AS (
  SELECT *, lower(coalesce(user_email, json_extract_scalar(variables, '$.email'))) AS email
  FROM events
  WHERE team LIKE :team
    AND dt BETWEEN :from AND :to
    AND regexp_like(action, 'invit|add_member|member_added')
),
judged AS (
  SELECT *, NOT contains(split(lower(:domains), ','), split_part(email, '@', 2)) AS external FROM joining
)
SELECT
  event_time,
  team,
  coalesce(actor_email, actor_username, actor_name, actor_id) AS who,
  action,
  coalesce(email, user_username, user_name, user_id) AS whom,
  external,
  message,
  id
FROM judged
WHERE regexp_like(action, 'invit')
  OR coalesce(external, true)
ORDER BY event_time DESC, id DESC
