"""Operations of Amazon Web Services that their verbs alone do not tell."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["ROWS", "Row"]


class Row(NamedTuple):
    """A special case.

    Attributes:
        rule: Rule of the rubric.
        operation: Pattern of ``service operation``, from its beginning.
        has: Pattern of anything on the line; empty: no matter.
        says: What it does.
        scratch: Rule if all names say scratch.
    """

    rule: str
    operation: str
    has: str
    says: str
    scratch: str = ""


_WIDE_POLICY = r"AdministratorAccess|IAMFullAccess|PowerUserAccess|\"Action\"\s*:\s*\[?\s*\"(?:\*|iam:\*|\*:\*)\""
_ANYBODY = r"\"Principal\"\s*:\s*(?:\"\*\"|\{\s*\"AWS\"\s*:\s*\[?\s*\"\*\")"
_EVERYWHERE = r"0\.0\.0\.0/0|::/0"

ROWS = (
    # protection that goes on
    Row(
        "A5",
        r"cloudtrail start-logging|guardduty create-detector|securityhub enable|kms enable-key-rotation"
        r"|configservice start-",
        "",
        "switches protection on",
    ),
    Row(
        "A5",
        r"ec2 revoke-security-group|iam (?:detach-|remove-user-from-group|deactivate-access|delete-access-key"
        r"|delete-login-profile)|kms cancel-key-deletion",
        "",
        "takes rights away or saves a key",
    ),
    Row(
        "A5",
        r"s3api put-public-access-block|s3control put-public-access-block",
        r"(?i)BlockPublicAcls\"?\s*[=:]\s*\"?true(?!.*false)",
        "closes public access",
    ),
    Row("A5", r"s3api put-bucket-versioning", r"Enabled", "keeps versions"),
    Row(
        "A5",
        r"s3api put-bucket-(?:encryption|logging)|ec2 create-flow-logs|s3api put-object-lock"
        r"|backup put-backup-vault-lock",
        r"",
        "switches protection on",
    ),
    Row(
        "A5",
        r"rds modify-db-|dynamodb update-table|docdb modify",
        r"\s--deletion-protection(?:-enabled)?(?:\s|$)",
        "protects it from deletion",
    ),
    Row(
        "A5",
        r"cloudformation update-termination-protection|ec2 modify-instance-attribute",
        r"\s--(?:enable-termination-protection|disable-api-termination)(?:\s|$)",
        "protects it from deletion",
    ),
    # protection that goes off
    Row(
        "B5",
        r"cloudtrail (?:stop-logging|delete-|remove-)|guardduty (?:delete-detector|disassociate|stop-monitoring"
        r"|delete-members)|configservice (?:stop-|delete-)",
        "",
        "switches the audit off",
    ),
    Row("B5", r"guardduty update-detector", r"--no-enable", "switches detection off"),
    Row("B5", r"cloudtrail update-trail", r"--no-", "weakens the audit"),
    Row(
        "B5",
        r"cloudtrail put-event-selectors",
        r"ExcludeManagementEventSources|IncludeManagementEvents\"?\s*[:=]\s*\"?false"
        r"|ReadWriteType\"?\s*[:=]\s*\"?ReadOnly",
        "weakens the audit",
    ),
    Row(
        "B5",
        r"securityhub (?:disable|batch-disable|delete)|macie2 disable|inspector2? (?:disable|delete)"
        r"|accessanalyzer delete-analyzer|detective delete|shield delete|fms delete|auditmanager d",
        "",
        "switches detection off",
    ),
    Row(
        "B5",
        r"iam (?:deactivate-mfa-device|delete-virtual-mfa-device|delete-account-password-policy)"
        r"|organizations (?:detach-policy|leave-organization|disable-|remove-account|delete-policy)",
        "",
        "switches protection of accounts off",
    ),
    Row(
        "B5",
        r"s3(?:api|control) delete-public-access-block|s3api delete-bucket-(?:encryption|policy)",
        "",
        "opens what was closed",
    ),
    Row("B5", r"s3(?:api|control) put-public-access-block", r"(?i)=\s*false|:\s*false", "opens what was closed"),
    Row("B5", r"s3api put-bucket-versioning", r"Suspended", "ends the keeping of versions"),
    Row(
        "B5",
        r"logs (?:delete-log-group|delete-log-stream)|ec2 delete-flow-logs|wafv2? (?:delete|disassociate)-web-acl"
        r"|waf-regional d|network-firewall delete-",
        "",
        "removes a log or a wall",
    ),
    Row("B5", r"logs put-retention-policy", r"retention-in-days[ =][13567]\b", "lets logs go at once"),
    Row("B5", r"cloudwatch (?:delete-alarms|disable-alarm-actions)", "", "switches alarms off"),
    Row(
        "B5",
        r"(?:rds|docdb|neptune) modify-db-|dynamodb update-table|cloudformation update-termination-protection"
        r"|ec2 modify-instance-attribute|elbv2 modify-load|cognito-idp update-user-pool|eks update-cluster",
        r"--no-deletion-protection|--no-enable-termination-protection|--no-disable-api-termination"
        r"|deletion_protection\.enabled,Value=false|deletion-protection(?:-enabled)?[ =](?:false|INACTIVE)"
        r"|disable-api-termination[ =]\"?Value=false",
        "takes protection from deletion away",
    ),
    Row(
        "B5",
        r"backup (?:delete-backup-vault-lock|delete-backup-vault-access|delete-backup-vault-notif|delete-backup-plan)",
        "",
        "weakens the backups",
    ),
    Row("B5", r"kms disable-key-rotation", "", "ends key rotation"),
    Row("B1", r"backup delete-backup-vault|fsx delete-backup", "", "deletes backups"),
    Row(
        "B4",
        r"kms (?:schedule-key-deletion|disable-key|delete-imported-key|delete-custom-key)|acm-pca delete-"
        r"|cloudhsmv2 delete-",
        "",
        "takes a key away",
        "C4",
    ),
    Row(
        "B4",
        r"organizations close-account|account (?:close|disable)|route53 delete-hosted-zone"
        r"|route53domains delete-domain",
        "",
        "closes an account or a zone",
        "C4",
    ),
    Row(
        "B4",
        r"eks delete-(?:cluster|nodegroup)|ecs delete-cluster|cloudformation delete-stack"
        r"|elasticbeanstalk terminate-environment|elasticbeanstalk delete-application",
        "",
        "removes an environment",
        "C4",
    ),
    Row(
        "B4",
        r"s3api put-bucket-lifecycle",
        r"\"(?:Days|NoncurrentDays)\"\s*:\s*[0-3]\b(?!.*\"Prefix\"\s*:\s*\"[^\"])",
        "lets everything in the bucket expire",
        "C4",
    ),
    Row("B4", r"dynamodb update-time-to-live", r"^$", "lets items expire"),
    # rights
    Row(
        "B5",
        r"iam (?:attach-(?:user|role|group)-policy|put-(?:user|role|group)-policy|create-policy(?:-version)?)",
        _WIDE_POLICY,
        "gives every right",
    ),
    Row("B5", r"iam add-user-to-group", r"(?i)admin", "makes somebody an administrator"),
    Row("B5", r"iam (?:update-assume-role-policy|create-role)", _ANYBODY, "lets anybody take a role"),
    Row(
        "B5",
        r"sso-admin create-account-assignment|identitystore create-group-membership",
        r"(?i)admin",
        "makes somebody an administrator",
    ),
    Row(
        "B5",
        r"lambda add-permission|kms (?:put-key-policy|create-grant)|sns add-permission|sqs add-permission"
        r"|secretsmanager put-resource-policy|ecr set-repository-policy",
        r"--principal[ =]['\"]?\*|" + _ANYBODY,
        "lets anybody in",
    ),
    Row(
        "B5",
        r"ec2 authorize-security-group-ingress",
        r"(?:"
        + _EVERYWHERE
        + r").*(?:--protocol[ =](?:all|-1)|IpProtocol\"?[=:]\"?-1)|(?:--protocol[ =](?:all|-1)).*(?:"
        + _EVERYWHERE
        + r")",
        "opens every port to everybody",
    ),
    Row(
        "B5",
        r"ec2 authorize-security-group-ingress",
        r"--port[ =](?:22|3389|0-65535|5432|3306|6379|27017|9200|2375|1433|445|-1)\b.*(?:"
        + _EVERYWHERE
        + r")|(?:"
        + _EVERYWHERE
        + r").*--port[ =](?:22|3389|0-65535|5432|3306|6379|27017|9200|2375|1433)\b",
        "opens a way in to everybody",
    ),
    # publishing
    Row("B7", r"s3api put-(?:bucket|object)-acl", r"public-read|AllUsers|AuthenticatedUsers", "opens it to everybody"),
    Row("B7", r"s3api put-bucket-policy", _ANYBODY, "opens the bucket to everybody"),
    Row(
        "B7",
        r"(?:rds modify-db-(?:cluster-)?snapshot-attribute|ec2 modify-(?:snapshot|image)-attribute)",
        r"--values-to-add[ =]['\"]?all|--group-names[ =]['\"]?all|Group\"?[=:]\"?all",
        "gives a copy to everybody",
    ),
    Row("B7", r"rds modify-db-instance", r"\s--publicly-accessible(?:\s|$)", "opens a database to the internet"),
    Row("C7", r"ses(?:v2)? send-(?:bulk|templated-bulk)", "", "writes to many people"),
    Row(
        "C7",
        r"(?:ses(?:v2)? send-|sns publish|support |chime send|pinpoint send|connect start-outbound)",
        "",
        "speaks in the user's name",
    ),
    Row(
        "C7",
        r"(?:ec2 purchase-|rds purchase-|savingsplans create|route53domains (?:register|renew|transfer)|marketplace)",
        "",
        "buys in the user's name",
    ),
    Row(
        "C8",
        r"configure (?:export-credentials|get)|configure list-profiles-secret",
        r"export-credentials|secret|aws_session_token",
        "shows credentials",
    ),
    Row("A1", r"configure (?:list|get|list-profiles)", "", "shows the configuration"),
    Row("A1", r"(?:athena|redshift-data|rds-data) (?:get-|list-|batch-get)", "", "reads"),
)
