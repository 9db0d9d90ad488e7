-- Changes of roles, and actions of administrators.
-- An action is listed if its name contains "role", "admin", "permission" or "owner", or if it adds a member with another role than
-- user. Postman gives only the ids of the people whose roles change. The column whom shows the newest name that the archive has for
-- such an id, or else the id. The column variables shows their roles from then on.
--
-- Controls: SOC 2 CC6.2, CC6.3; ISO 27001 A.5.18, A.8.2; PCI DSS 10.2.1.2, 10.2.1.5
WITH {named}
SELECT
  event_time,
  team,
  coalesce(actor_email, actor_username, actor_name, actor_id) AS who,
  action,
  whom,
  variables,
  message,
  ip,
  id
FROM named
WHERE regexp_like(action, 'role|admin|permission|owner')
  OR (regexp_like(action, 'add_member|member_added') AND coalesce(roles, 'user') NOT IN ('user', '["user"]'))
ORDER BY event_time DESC, id DESC
