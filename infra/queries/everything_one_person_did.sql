-- Everything one person did.
-- The person is found by email, username, name or Postman id, in every team.
--
-- Controls: SOC 2 CC7.3; ISO 27001 A.5.28, A.8.15; PCI DSS 10.2.1.1, 10.2.2
-- Parameters:
--   person  text  e.g. ada@example.com  the person's email, username, name or Postman id
SELECT event_time, team, action, message, ip, user_agent, actor_id, id
FROM events
WHERE team LIKE :team
  AND dt BETWEEN :from AND :to
  AND lower(:person) IN (lower(actor_email), lower(actor_username), lower(actor_name), actor_id)
ORDER BY event_time, id
