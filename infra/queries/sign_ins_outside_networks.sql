-- Sign-ins from outside the networks that you give, for example those of your offices.
-- The query lists every sign-in whose address is in none of the networks, has no address, or has one that cannot be read; the
-- column why says which. A network is a prefix such as 203.0.113.0/24 or 2001:db8::/32, or one address. An IPv4 address that
-- is written as IPv6, such as ::ffff:203.0.113.7, counts as IPv4. In the console of Athena, replace the example networks in the
-- statement by yours. A network that cannot be read contains no address there.
--
-- Controls: SOC 2 CC6.1, CC6.6; ISO 27001 A.8.5, A.8.20; PCI DSS 10.2.1.1, 10.4.1
-- Parameters:
--   office  networks  e.g. 203.0.113.0/24,2001:db8::/32  the networks, separated by commas
WITH sign_ins AS (
  SELECT *
  FROM events
  WHERE team LIKE :team
    AND dt BETWEEN :from AND :to
    AND regexp_like(action, '^user\.(login|sign_in)')
),
office AS (
  SELECT
    lower(split_part(network, '/', 1)) AS address,
    TRY_CAST(nullif(split_part(network, '/', 2), '') AS bigint) AS bits
  FROM (SELECT split(replace(:office, ' ', ''), ',') AS networks) AS given
  CROSS JOIN UNNEST(networks) AS each (network)
),
-- Each address, and its IPv4 address if it is one or ends with one.
addresses AS (
  SELECT
    address,
    regexp_extract(
      address,
      '^(::|[0-9a-f:]+:)?((25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])(\.(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])){3})\z',
      2
    ) AS dotted
  FROM (SELECT address FROM office UNION SELECT lower(ip) AS address FROM sign_ins) AS every
),
-- All of them as IPv6, such as ::ffff:cb00:7107.
grouped AS (
  SELECT
    address,
    CASE
      WHEN dotted IS NULL THEN address
      ELSE
        CASE WHEN dotted = address THEN '::ffff:' ELSE replace(address, dotted, '') END
          || lower(lpad(to_base(CAST(split_part(dotted, '.', 1) AS bigint), 16), 2, '0'))
          || lower(lpad(to_base(CAST(split_part(dotted, '.', 2) AS bigint), 16), 2, '0'))
          || ':'
          || lower(lpad(to_base(CAST(split_part(dotted, '.', 3) AS bigint), 16), 2, '0'))
          || lower(lpad(to_base(CAST(split_part(dotted, '.', 4) AS bigint), 16), 2, '0'))
    END AS ipv6
  FROM addresses
),
-- The four digits of each group before and after "::".
halves AS (
  SELECT
    address,
    ipv6,
    array_join(regexp_extract_all(':000' || replace(split_part(ipv6, '::', 1), ':', ':000'), '([0-9a-f]{4})(?::|\z)', 1), '') AS head,
    array_join(regexp_extract_all(':000' || replace(split_part(ipv6, '::', 2), ':', ':000'), '([0-9a-f]{4})(?::|\z)', 1), '') AS tail
  FROM grouped
),
-- The 32 digits of each address; null if it cannot be read.
digits AS (
  SELECT
    address,
    CASE
      WHEN regexp_like(ipv6, '^([0-9a-f]{1,4}:){7}[0-9a-f]{1,4}\z') THEN head
      WHEN regexp_like(ipv6, '^([0-9a-f]{1,4}(:[0-9a-f]{1,4})*)?::([0-9a-f]{1,4}(:[0-9a-f]{1,4})*)?\z')
        AND length(head) + length(coalesce(tail, '')) <= 28
      THEN head || rpad('', CAST(greatest(32 - length(head) - length(coalesce(tail, '')), 0) AS integer), '0') || coalesce(tail, '')
    END AS hex
  FROM halves
),
-- The 128 digits of each address in base 2. The digit 1 before each part keeps the zeros behind it.
places AS (
  SELECT
    address,
    CASE
      WHEN hex IS NOT NULL
      THEN
        substr(to_base(from_base('1' || substr(hex, 1, 8), 16), 2), 2)
          || substr(to_base(from_base('1' || substr(hex, 9, 8), 16), 2), 2)
          || substr(to_base(from_base('1' || substr(hex, 17, 8), 16), 2), 2)
          || substr(to_base(from_base('1' || substr(hex, 25, 8), 16), 2), 2)
    END AS digits,
    coalesce(regexp_like(hex, '^0{20}f{4}'), false) AS is_ipv4
  FROM digits
),
networks AS (
  SELECT
    is_ipv4,
    digits,
    coalesce(CASE WHEN is_ipv4 AND NOT regexp_like(places.address, ':') THEN 96 ELSE 0 END + bits, 128) AS first_bits
  FROM office
  JOIN places ON places.address = office.address
),
judged AS (
  SELECT
    sign_ins.*,
    digits,
    EXISTS (
      SELECT 1
      FROM networks
      WHERE networks.is_ipv4 = places.is_ipv4
        AND substr(networks.digits, 1, networks.first_bits) = substr(places.digits, 1, networks.first_bits)
    ) AS inside
  FROM sign_ins
  LEFT JOIN places ON places.address = lower(sign_ins.ip)
)
SELECT
  event_time,
  team,
  coalesce(actor_email, actor_username, actor_name, actor_id) AS who,
  CASE WHEN ip IS NULL THEN 'no address' WHEN digits IS NULL THEN 'address cannot be read' ELSE 'outside' END AS why,
  action AS method,
  ip,
  user_agent,
  id
FROM judged
WHERE NOT inside
ORDER BY event_time DESC, id DESC
