"""ministack, configured by its environment variables, with the few things that the deployment needs and it lacks.

Its CloudFormation lacks the type AWS::Athena::NamedQuery and metric math in alarms, and ignores Object Lock. It evaluates policies (AUTH=true)
without some condition keys, has no TLS here, and takes the ARN of a session for the ARN of its role. Lambda answers with the name and the message of
the error that a function threw, and it answers with the message alone.
"""

import json
import re

from ministack import app
from ministack.core import iam_actions, iam_evaluator, lambda_runtime
from ministack.services import athena, lambda_svc, s3
from ministack.services.cloudformation import provisioners

SESSION = re.compile(r"arn:aws:sts::(\d+):assumed-role/([^/]+)/.*")


def create_named_query(_logical_id, properties, _stack_name):
    body = athena._create_named_query(properties)[2]
    return json.loads(body)["NamedQueryId"], {}


def delete_named_query(physical_id, _properties):
    athena._delete_named_query({"NamedQueryId": physical_id})


def lock_bucket(name, configuration):
    s3._bucket_object_lock[name] = {
        "enabled": True,
        "default_retention": configuration["Rule"]["DefaultRetention"],
    }


def alarm_without_math(name, properties):
    """Only whether the alarm exists is tested here, so it watches the metric that the expression fills."""
    metrics = properties.get("Metrics", [])
    stats = [each["MetricStat"] for each in metrics if "MetricStat" in each]
    plain = {key: value for key, value in properties.items() if key != "Metrics"}
    return alarm_record(name, {**plain, **(stats[0]["Metric"] if stats else {})})


def execute_with_named_errors(*arguments):
    answer = execute_function_warm(*arguments)
    if not answer.get("error"):
        return answer
    try:
        return {**answer, "body": json.loads(answer["body"]["errorMessage"])}
    except json.JSONDecodeError:
        return answer


alarm_record = provisioners._cw_metric_alarm_record
resolve_condition_key = iam_evaluator._resolve_condition_key
s3_service_context = iam_actions.s3_service_context
request_tag_context = iam_actions.request_tag_context
execute_function_warm = lambda_svc._execute_function_warm


def resolve_more_condition_keys(key, context):
    match key.lower():
        case "aws:principalarn":
            return SESSION.sub(r"arn:aws:iam::\1:role/\2", context.principal_arn)
        case "aws:securetransport":
            return "true"
        case _:
            return resolve_condition_key(key, context)


def with_conditional_writes(action, query, path="", headers=None):
    creates = action == "s3:PutObject" and "partNumber" not in (query or {})
    return {
        **s3_service_context(action, query, path, headers),
        "s3:if-none-match": (headers or {}).get("if-none-match"),
        "s3:ObjectCreationOperation": "true" if creates else "false",
    }


def with_signing_algorithm(service, action, body, params):
    context = request_tag_context(service, action, body, params)
    if action != "kms:Sign":
        return context
    return {**context, "kms:SigningAlgorithm": json.loads(body)["SigningAlgorithm"]}


lambda_runtime._NODEJS_WORKER_SCRIPT = lambda_runtime._NODEJS_WORKER_SCRIPT.replace(
    "error: String(err.message || err)",
    "error: JSON.stringify({ errorType: err.name, errorMessage: err.message })",
)
lambda_svc._execute_function_warm = execute_with_named_errors
iam_evaluator._resolve_condition_key = resolve_more_condition_keys
iam_actions.s3_service_context = with_conditional_writes
iam_actions.request_tag_context = with_signing_algorithm
provisioners._cw_metric_alarm_record = alarm_without_math
provisioners._RESOURCE_HANDLERS["AWS::Athena::NamedQuery"] = {
    "create": create_named_query,
    "delete": delete_named_query,
}
provisioners._S3_BUCKET_CONFIGURATIONS += (
    ("ObjectLockConfiguration", lambda configuration: configuration, lock_bucket, None),
)
app.main()
