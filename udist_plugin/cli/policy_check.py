"""``udist policy check``."""

from __future__ import annotations

import os

from udist_plugin.cli.error_codes import WrongCommandLine
from udist_plugin.cli.options import add_json_option
from udist_plugin.cli.output import note, print_json, print_table, printable
from udist_plugin.errors import PolicyInvalid, ReferenceInvalid
from udist_plugin.images.policy.files import load_policy
from udist_plugin.images.policy.findings import Finding, find_unmatchable, near_misses
from udist_plugin.images.policy.names import SPAWNED, policy_image
from udist_plugin.images.policy.policy import Policy, Rule
from udist_plugin.images.policy.scopes import TRANSPORTS
from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from udist_plugin.images.policy.subject import PolicyImage

_EPILOG = """\
Reads a signature policy (containers-policy.json) as strictly as podman and skopeo
do. Also finds what they ignore without a word: transports that do not exist, and
scopes that no image is ever in, such as one with a slash at its end, a scheme, or a
wildcard with a path. All of these are errors.

With REF, a transport and a reference, prints the rule that applies to the image.
Does not connect to anything, and does not verify signatures.

Without FILE, reads the policy that podman and skopeo use: the one that
$CONTAINERS_POLICY_JSON names, else ~/.config/containers/policy.json, else
/etc/containers/policy.json, else /usr/share/containers/policy.json.

exit codes: 0 if every rule can match; 4 if the policy cannot be read, or a rule
matches nothing

examples:
  udist policy check
  udist policy check policy.json
  udist policy check docker://registry.example.com/team/app:v1
  udist policy check policy.json oci:/srv/images/app --json
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = _EPILOG
    parser.add_argument("file", nargs="?", metavar="FILE", help="the policy file")
    parser.add_argument("image", nargs="?", metavar="REF", help="an image, such as docker://HOST/NAME:TAG")
    add_json_option(parser)


def run(arguments: argparse.Namespace) -> None:
    path, image = _file_and_image(arguments)
    policy = load_policy(path, os.environ)
    findings = list(find_unmatchable(policy))
    rules = _rules(policy)
    rule = policy.rule_for(image) if image else None
    if image:
        findings += near_misses(policy, image)
    if arguments.json:
        print_json(_document(policy, rules, findings, image, rule))
    elif image and rule:
        print(f"image:  {printable(str(image))}\nrule:   {printable(rule.place)}")
        print(f"needs:  {_kinds(rule)}")
    else:
        print_table([(printable(each.place), _kinds(each)) for each in rules])
    if not arguments.json:
        for finding in findings:
            if not finding.never:
                note(printable(f"{finding.place} ({policy.source}): {finding.problem}"))
    if never := [each for each in findings if each.never]:
        raise PolicyInvalid.of([_error(each, policy.source) for each in never])


def _file_and_image(arguments: argparse.Namespace) -> tuple[str | None, PolicyImage | None]:
    """What the words are. A single one names an image if it begins with a transport, or has a colon and is no
    file."""
    path, word = arguments.file, arguments.image
    if path and not word and _is_image(path):
        path, word = None, path
    try:
        return path, policy_image(word) if word else None
    except ReferenceInvalid as error:
        raise WrongCommandLine(arguments.parser, str(error)) from None


def _is_image(word: str) -> bool:
    transport, colon, _ = word.partition(":")
    known = transport in TRANSPORTS or transport.startswith(SPAWNED)
    return bool(colon) and (known or not os.path.lexists(word))


def _rules(policy: Policy) -> list[Rule]:
    scopes = [
        Rule(requirements, transport, scope)
        for transport, scopes in policy.transports.items()
        for scope, requirements in scopes.items()
    ]
    return [*scopes, Rule(policy.default)]


def _kinds(rule: Rule) -> str:
    return ", ".join(requirement.kind for requirement in rule.requirements)


def _error(finding: Finding, source: str) -> PolicyInvalid:
    return PolicyInvalid(f"matches nothing: {finding.problem}", key=finding.place, source=source)


def _document(
    policy: Policy,
    rules: Sequence[Rule],
    findings: Sequence[Finding],
    image: PolicyImage | None,
    rule: Rule | None,
) -> dict[str, object]:
    document: dict[str, object] = {
        "policy": policy.source,
        "rules": [_entry(each) for each in rules],
        "findings": [each._asdict() for each in findings],
    }
    if image and rule:
        document |= {"image": str(image), "scopes": image.scopes, "rule": _entry(rule)}
    return document


def _entry(rule: Rule) -> dict[str, object]:
    return {
        "place": rule.place,
        "transport": rule.transport,
        "scope": None if rule.transport is None else rule.scope,
        "requirements": [requirement.kind for requirement in rule.requirements],
    }
