history AS (
  SELECT
    *,
    coalesce(actor_name = 'Postman Internal System' AND coalesce(actor_email, actor_username) IS NULL, false) AS by_system,
    -- variables.users is an object, or text that contains one: {"60000004": ["user", "admin"]}
    coalesce(json_extract_scalar(variables, '$.users'), json_format(json_extract(variables, '$.users'))) AS changes,
    coalesce(json_extract_scalar(variables, '$.roles'), json_format(json_extract(variables, '$.roles'))) AS roles
  FROM events
  WHERE team LIKE :team
    AND dt BETWEEN :history_from AND :to
)
