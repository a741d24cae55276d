"""Every rule is seen to find the fault that it is there for, planted in the project's own template."""

import copy
import json
import unittest
from unittest import mock

from . import template as templates
from .checks import RULES, api, calls, events, functions, observation, references, secrets, stores, systems
from .checks.lookup import CONTEXT, of_type

TEMPLATE = templates.load()


def description() -> str:
    """Describes the routes of the template as they are."""
    paths: dict[str, dict] = {}
    for route in of_type(TEMPLATE, "AWS::ApiGatewayV2::Route").values():
        method, path = route["RouteKey"].replace("ANY", "POST").split()
        paths.setdefault(path, {})[method.lower()] = {}
    return json.dumps({"paths": paths})


def put(*path):
    """Plants the last part of the path as the value of the part before it."""
    *parents, key, value = path

    def plant(template: dict) -> None:
        _at(template["Resources"], parents)[key] = value

    return plant


def drop(*path):
    """Takes away what stands at the path."""
    *parents, key = path

    def plant(template: dict) -> None:
        del _at(template["Resources"], parents)[key]

    return plant


def _at(value, path):
    for part in path:
        value = value[part]
    return value


P = "Properties"
FUNCTION = ("Dynamics365Function", P)
SLICE = (*FUNCTION, "Events", "Slice", P)
STATEMENT = ("TriggerSyncRole", P, "Policies", 0, "PolicyDocument", "Statement", 1)
SENDS = ("TriggerSyncRole", P, "Policies", 0, "PolicyDocument", "Statement", 3)
PASS_ROLE = ("IntegrationsRole", P, "Policies", 0, "PolicyDocument", "Statement", 7)
OPENS_TOKENS = ("Dynamics365Role", P, "Policies", 0, "PolicyDocument", "Statement", 3)
SCHEDULE = ("ReconcileSchedule", P)
KEY_POLICY = ("SealingKey", P, "KeyPolicy", "Statement", 0)
BUCKET = ("FilesBucket", P)
ROUTE_SETTINGS = ("Stage", P, "RouteSettings")

PLANTED = [
    (functions.every_package_is_a_function, put(*FUNCTION, "CodeUri", "target/lambda/dynamics366")),
    (functions.every_variable_is_read_and_every_read_one_is_set, drop(*FUNCTION, "Environment", "Variables", "EVENT_BUS")),
    (functions.every_variable_is_read_and_every_read_one_is_set, put(*FUNCTION, "Environment", "Variables", "DEBUG", "1")),
    (functions.local_variables_stay_local, put(*FUNCTION, "Environment", "Variables", "OUTBOUND_EXCEPTIONS", "")),
    (functions.every_function_has_a_role_of_its_own, drop(*FUNCTION, "Role")),
    (functions.every_function_has_a_role_of_its_own, put(*FUNCTION, "Role", {"Fn::GetAtt": ["ReconcileRole", "Arn"]})),
    (functions.every_function_logs_where_logs_expire, drop(*FUNCTION, "LoggingConfig")),
    (functions.every_function_logs_where_logs_expire, drop("Dynamics365Logs", P, "RetentionInDays")),
    (functions.every_function_logs_where_logs_expire, put(*FUNCTION, "LoggingConfig", "LogGroup", {"Ref": "ReconcileLogs"})),
    (calls.nothing_is_allowed_wholesale, put(*STATEMENT, "Action", "dynamodb:*")),
    (calls.nothing_is_allowed_wholesale, put(*STATEMENT, "Resource", "*")),
    (calls.nothing_is_allowed_wholesale, put(*STATEMENT, "Resource", {"Fn::Sub": "arn:${AWS::Partition}:sqs:*"})),
    (calls.nothing_is_allowed_wholesale, put(*STATEMENT, "NotAction", "sqs:SendMessage")),
    (calls.every_pass_of_a_role_names_one_role_and_one_service,
     put(*PASS_ROLE, "Resource", {"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/*"})),
    (calls.every_pass_of_a_role_names_one_role_and_one_service,
     put(*PASS_ROLE, "Resource", [{"Fn::GetAtt": [role, "Arn"]} for role in ("TickRole", "ScheduleRole")])),
    (calls.every_pass_of_a_role_names_one_role_and_one_service, drop(*PASS_ROLE, "Condition")),
    (calls.every_pass_of_a_role_names_one_role_and_one_service,
     put(*PASS_ROLE, "Condition", "StringEquals", "iam:PassedToService", ["scheduler.amazonaws.com", "lambda.amazonaws.com"])),
    (calls.every_pass_of_a_role_names_one_role_and_one_service,
     put(*PASS_ROLE, "Condition", {"StringLike": {"iam:PassedToService": "*"}})),
    (calls.every_pass_of_a_role_names_one_role_and_one_service,
     put(*STATEMENT, "Action", ["dynamodb:Query", "iam:PassRole"])),
    (calls.what_the_code_calls_is_allowed, put("IntegrationsRole", P, "Policies", [])),
    (calls.what_the_code_calls_is_allowed, put("IntegrationSystemsRole", P, "Policies", [])),
    (calls.what_is_allowed_is_called, put(*STATEMENT, "Action", ["dynamodb:Scan"])),
    (calls.what_is_allowed_is_called, put(*STATEMENT, "Action", ["kms:GenerateMac"])),
    (calls.what_is_allowed_is_called, put(*STATEMENT, "Action", ["scheduler:ListScheduleGroups"])),
    (events.queues_wait_for_six_timeouts, put(*FUNCTION, "Timeout", 121)),
    (events.queues_wait_for_six_timeouts, drop("Dynamics365Queue", P, "VisibilityTimeout")),
    (events.batches_report_what_failed, drop(*SLICE, "FunctionResponseTypes")),
    (events.queues_have_dead_letters, drop("ResultEventsQueue", P, "RedrivePolicy")),
    (events.queues_have_dead_letters, put("Dynamics365DeadLetters", P, "MessageRetentionPeriod", 60)),
    (events.fifo_queues_have_fifo_dead_letters, drop("Dynamics365DeadLetters", P, "FifoQueue")),
    (events.schedules_are_named_and_lose_nothing, drop(*SCHEDULE, "Name")),
    (events.schedules_are_named_and_lose_nothing, drop(*SCHEDULE, "GroupName")),
    (events.schedules_are_named_and_lose_nothing, drop(*SCHEDULE, "Target", "DeadLetterConfig")),
    (events.schedules_are_named_and_lose_nothing, drop(*SCHEDULE, "Target", "RetryPolicy")),
    (events.schedules_are_named_and_lose_nothing, drop("CredentialsSchedule", P, "Target", "DeadLetterConfig")),
    (events.no_schedule_is_in_the_hour_that_spring_skips,
     put("ReconcileSchedule", P, {"ScheduleExpression": "cron(30 2 * * ? *)", "ScheduleExpressionTimezone": "Europe/Oslo"})),
    (events.rules_lose_nothing, drop("ResultEventsRule", P, "Targets", 0, "DeadLetterConfig")),
    (stores.tables_can_be_brought_back_and_expire_rows, drop("ControlTable", P, "PointInTimeRecoverySpecification")),
    (stores.tables_can_be_brought_back_and_expire_rows, drop("RecordsTable", P, "SSESpecification")),
    (stores.tables_can_be_brought_back_and_expire_rows, put("ControlTable", P, "TimeToLiveSpecification", "AttributeName", "ttl")),
    (stores.tables_outlive_the_stack, drop("ControlTable", "DeletionPolicy")),
    (stores.tables_outlive_the_stack, drop("RecordsTable", "UpdateReplacePolicy")),
    (stores.tables_outlive_the_stack, drop("RegistryTable", "DeletionPolicy")),
    (stores.keys_outlive_the_stack, drop("SigningKey", "DeletionPolicy")),
    (stores.keys_outlive_the_stack, put("SealingKey", "UpdateReplacePolicy", "Delete")),
    (stores.keys_outlive_the_stack, put("SealingKey", P, "PendingWindowInDays", 7)),
    (stores.keys_that_can_rotate_do, drop("SealingKey", P, "EnableKeyRotation")),
    (stores.keys_are_open_to_roles_only, put(*KEY_POLICY, "Principal", {"AWS": {"Fn::GetAtt": ["AuthorizerRole", "Arn"]}})),
    (stores.keys_are_open_to_roles_only, put(*KEY_POLICY, "Principal", "*")),
    (stores.what_is_sealed_is_opened_by_one_function, put(*STATEMENT, "Resource", {"Fn::GetAtt": ["SealingKey", "Arn"]})),
    (stores.what_is_sealed_is_opened_by_one_function, put("IntegrationSystemsRole", P, "Policies", [])),
    (stores.what_is_sealed_is_opened_by_one_function, drop(*OPENS_TOKENS, "Condition")),
    (stores.what_is_sealed_is_opened_by_one_function,
     put(*OPENS_TOKENS, "Condition", {"StringLikeIfExists": {CONTEXT: "access token of *"}})),
    (stores.others_open_nothing_but_what_is_shared, put(*OPENS_TOKENS, "Condition", "StringLike", CONTEXT, "*")),
    (stores.others_open_nothing_but_what_is_shared,
     put(*OPENS_TOKENS, "Condition", "StringLike", CONTEXT, ["access token of *", "refresh token of *"])),
    (stores.others_open_nothing_but_what_is_shared,
     put("WebhooksRole", P, "Policies", 0, "PolicyDocument", "Statement", 2, "Condition", "StringLike", CONTEXT, "*")),
    (stores.queues_are_encrypted, drop("Dynamics365Queue", P, "SqsManagedSseEnabled")),
    (stores.buckets_are_encrypted_closed_and_emptied, drop(*BUCKET, "BucketEncryption")),
    (stores.buckets_are_encrypted_closed_and_emptied, put(*BUCKET, "PublicAccessBlockConfiguration", "BlockPublicPolicy", False)),
    (stores.buckets_are_encrypted_closed_and_emptied, drop(*BUCKET, "LifecycleConfiguration")),
    (stores.buckets_are_encrypted_closed_and_emptied, drop("FilesBucketPolicy")),
    (stores.buckets_are_encrypted_closed_and_emptied,
     put("FilesBucketPolicy", P, "PolicyDocument", "Statement", 0, "Effect", "Allow")),
    (calls.nothing_is_allowed_wholesale,
     put(*STATEMENT, "Resource", {"Fn::Sub": "arn:${AWS::Partition}:s3:::*"})),
    (secrets.secrets_are_generated_and_strong, put("AdminSecret", P, "SecretString", "swordfish")),
    (secrets.secrets_are_generated_and_strong, put("AdminSecret", P, "GenerateSecretString", "PasswordLength", 42)),
    (secrets.secrets_fit_into_a_header, drop("AdminSecret", P, "GenerateSecretString", "ExcludePunctuation")),
    (secrets.secrets_fit_into_a_header, drop("AdminSecret", P, "GenerateSecretString", "ExcludeCharacters")),
    (api.every_route_has_the_authorizer, put("GetOpenApiRoute", P, "AuthorizationType", "NONE")),
    (api.every_route_has_the_authorizer, drop("GetOpenApiRoute", P, "AuthorizerId")),
    (api.every_route_has_the_authorizer, drop("GetKeySetRoute")),
    (api.every_route_has_the_authorizer, put("RefreshTokenRoute", P, "AuthorizationType", "NONE")),
    (api.every_route_has_the_authorizer, put("IssueTokenRoute", P, "RouteKey", "POST /oauth2/tokens")),
    (api.every_route_has_the_authorizer,
     put("IssueTokenRoute", P, _at(TEMPLATE["Resources"], ("GraphqlRoute", P)) | {"RouteKey": "POST /oauth2/token"})),
    (api.the_authorizer_is_asked_each_time, put("Authorizer", P, "AuthorizerResultTtlInSeconds", 300)),
    (api.every_route_is_described_and_every_description_is_a_route, put("GetRunRoute", P, "RouteKey", "GET /v1/runs")),
    (api.every_route_is_described_and_every_description_is_a_route,
     put("ProcessWebhookEventRoute", P, "RouteKey", "ANY /v1/hooks")),
    (api.every_target_may_be_called_by_the_api, drop("Dynamics365Permission")),
    (api.every_target_may_be_called_by_the_api, drop("AuthorizerPermission")),
    (api.the_stage_is_throttled, drop("Stage", P, "DefaultRouteSettings", "ThrottlingRateLimit")),
    (api.open_routes_have_a_throttle_of_their_own, drop(*ROUTE_SETTINGS, "POST /oauth2/token")),
    (api.open_routes_have_a_throttle_of_their_own, drop(*ROUTE_SETTINGS, "GET /.well-known/jwks.json", "ThrottlingRateLimit")),
    (api.open_routes_have_a_throttle_of_their_own, drop("Stage", "DependsOn")),
    (api.access_logs_hold_nothing_private, drop("Stage", P, "AccessLogSettings")),
    (api.access_logs_hold_nothing_private, put("Stage", P, "AccessLogSettings", "Format", "$context.path")),
    (api.access_logs_hold_nothing_private,
     put("Stage", P, "AccessLogSettings", "Format", "$context.routeKey $context.queryString")),
    (observation.every_alarm_says_what_to_do, put("SilenceAlarm", P, "AlarmDescription", "It is silent.")),
    (observation.every_alarm_is_told, drop("SilenceAlarm", P, "AlarmActions")),
    (observation.dead_letters_raise_an_alarm, drop("Dynamics365DeadSlicesAlarm")),
    (observation.dead_letters_raise_an_alarm, drop("UndeliveredAlarm")),
    (observation.late_messages_raise_an_alarm, drop("Dynamics365LateSlicesAlarm")),
    (observation.errors_and_throttles_raise_an_alarm, drop("AuthorizerErrorsAlarm")),
    (observation.errors_and_throttles_raise_an_alarm, drop("Dynamics365ThrottlesAlarm")),
    (observation.silence_raises_an_alarm, drop("CredentialsSilenceAlarm")),
    (observation.silence_raises_an_alarm, put("SilenceAlarm", P, "TreatMissingData", "ignore")),
    (observation.what_the_code_marks_is_counted, drop("SilentIntegrations")),
    (observation.what_the_code_marks_is_counted, put("UnmendedRows", P, "FilterPattern", "{ $.unmended IS TRUE }")),
    (observation.what_is_counted_raises_an_alarm, drop("RefusedCredentialsAlarm")),
    (observation.what_is_counted_raises_an_alarm, drop("IntegrationSystemsFaultsAlarm")),
    (observation.refused_credentials_are_counted_wherever_they_are_used, drop("Dynamics365RefusedCredentials")),
    (observation.server_errors_raise_an_alarm, drop("ServerErrorsAlarm")),
    (references.every_reference_resolves, put(*STATEMENT, "Resource", {"Ref": "RecordTable"})),
    (references.every_reference_resolves, put(*STATEMENT, "Resource", {"Fn::Sub": "${RecordTable.Arn}/index/due"})),
    (references.every_parameter_is_used, put("Stage", P, "DefaultRouteSettings", {})),
    (systems.every_system_has_a_function, drop("CornerstoneFunction")),
    (systems.what_one_system_has_all_have, drop("ConsioMissedWebhooks")),
    (systems.what_one_system_has_all_have, put("XledgerQueue", P, "MessageRetentionPeriod", 60)),
    (systems.what_one_system_has_all_have, put("XledgerFunction", "Metadata", {"cfn-lint": {}})),
    (systems.what_one_system_has_all_have,
     put("ConsioRole", P, "Policies", 0, "PolicyDocument", "Statement", 6, "Resource", {"Fn::GetAtt": ["XledgerQueue", "Arn"]})),
    (systems.what_one_system_has_all_have,
     put("XledgerTestRoute", P, "RouteKey", "POST /v1/organizations/{organizationId}/integrations/consio/test")),
    (systems.what_is_shared_treats_all_systems_alike, drop(*SENDS, "Resource", 3)),
    (systems.what_is_shared_treats_all_systems_alike,
     put("WebhooksFunction", P, "Environment", "Variables", "CONSIO_QUEUE_URL", {"Ref": "XledgerQueue"})),
    (systems.what_is_shared_treats_all_systems_alike,
     put("Dashboard", P, "DashboardBody", {"Fn::Sub": "${Dynamics365Function} ${XledgerFunction}"})),
]


class Checks(unittest.TestCase):
    def setUp(self):
        described = mock.patch.object(api, "OPENAPI", mock.Mock(read_text=description))
        self.enterContext(described)

    def test_every_rule_finds_its_planted_fault(self):
        for number, (rule, plant) in enumerate(PLANTED):
            with self.subTest(rule.__name__, case=number):
                template = copy.deepcopy(TEMPLATE)
                self.assertEqual(list(rule(template)), [])
                plant(template)
                self.assertNotEqual(list(rule(template)), [], "the fault was not found")

    def test_every_rule_has_a_planted_fault(self):
        self.assertEqual(set(RULES), {rule for rule, _ in PLANTED})
