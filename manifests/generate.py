"""Write what follows from the code: the CRDs, and the pages of docs/reference.

``python manifests/generate.py`` writes the files, ``--check`` only compares and fails on a
difference. The same code gives the same bytes.
"""

import argparse
import ast
import inspect
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml

import reference
from dayfly_core import crd, reasons
from dayfly_core.structural import Schema
from reference import table

COMMAND = "make manifests"
ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = {"ExpiryPolicy": "manifests/policies/previews.yaml"}
"""What to apply to try a kind: opens its section of the reference. Nobody writes a NameClaim."""


def main(argv: list[str]) -> int:
    """Write or compare; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    parser.add_argument("--root", type=Path, default=ROOT, help="where the files belong")
    options = parser.parse_args(argv)
    stale = [(path, text) for path, text in generated(options.root) if _differs(path, text)]
    if options.check:
        for path, _ in stale:
            print(f"{path} is out of date: run `{COMMAND}`", file=sys.stderr)
        return 1 if stale else 0
    for path, text in stale:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        print(f"wrote {path}")
    return 0


def _differs(path: Path, text: str) -> bool:
    return not path.exists() or path.read_text(encoding="utf-8") != text


def generated(root: Path) -> Iterator[tuple[Path, str]]:
    """Yield every generated file with its content."""
    definitions = crd.definitions()
    for definition in definitions:
        name = definition["spec"]["names"]["plural"]
        yield root / f"manifests/crds/{name}.yaml", _crd_file(definition)
    components = crd.components()
    for component, definition in components.items():
        yield root / f"manifests/components/{component}/crd.yaml", _crd_file(definition)
    yield root / "docs/reference/crds.md", _crds_page([*definitions, *components.values()])
    yield root / "docs/reference/reasons.md", _reasons_page()
    for page, text in reference.pages(COMMAND):
        yield root / "docs/reference" / page, text


def _crd_file(definition: dict[str, Any]) -> str:
    text = yaml.safe_dump(definition, sort_keys=False, width=100, allow_unicode=True)
    return f"# Generated from core/dayfly_core/api by `{COMMAND}`.\n{text}"


def _crds_page(definitions: list[dict[str, Any]]) -> str:
    sections = [_crd_section(definition) for definition in definitions]
    head = f"# Custom resources\n\nGenerated from `core/dayfly_core/api` by `{COMMAND}`.\n"
    return "\n".join([head, *sections])


def _crd_section(definition: dict[str, Any]) -> str:
    spec = definition["spec"]
    version = spec["versions"][0]
    schema: Schema = version["schema"]["openAPIV3Schema"]
    plural = spec["names"]["plural"]
    short = [*spec["names"]["shortNames"], plural][0]
    lines = [
        f"## {spec['names']['kind']}",
        "",
        f"`{spec['group']}/{version['name']}`, {spec['scope'].lower()}-scoped; "
        f"`kubectl get {plural}`{f' or `kubectl get {short}`' if short != plural else ''}.",
        "",
        schema["description"],
        "",
        *_example(spec["names"]["kind"]),
        *table("Field", "Type", "Default", "Meaning", rows=_fields(schema, "")),
        "",
        f"Columns of `kubectl get {short}`:",
        "",
        *table("Column", "Meaning", rows=_columns(version["additionalPrinterColumns"])),
        "",
    ]
    return "\n".join(lines)


def _example(kind: str) -> tuple[str, ...]:
    if kind not in EXAMPLES:
        return ()
    path = EXAMPLES[kind]
    text = (ROOT / path).read_text(encoding="utf-8").strip()
    return f"For example (`{path}`):", "", "```yaml", text, "```", ""


def _columns(columns: list[dict[str, str]]) -> Iterator[tuple[str, ...]]:
    return ((column["name"].upper(), column["description"]) for column in columns)


def _fields(schema: Schema, path: str) -> Iterator[tuple[str, ...]]:
    for name, field in schema.get("properties", {}).items():
        place = f"{path}.{name}".lstrip(".")
        if place == "metadata":
            continue
        required = name in schema.get("required", ())
        yield f"`{place}`", _type(field), _default(field, required=required), _meaning(field)
        yield from _fields(field, place)
        yield from _fields(field.get("items", {}), f"{place}[]")


def _type(field: Schema) -> str:
    if "enum" in field:
        return " \\| ".join(f"`{value}`" for value in field["enum"]).replace("\\|", "or")
    if field["type"] == "array":
        return f"list of {_type(field['items'])}"
    if "additionalProperties" in field:
        return f"map to {_type(field['additionalProperties'])}"
    return str(field["type"])


def _default(field: Schema, *, required: bool) -> str:
    if required:
        return "required"
    simple = isinstance(field.get("default"), str | int)
    return f"`{yaml.safe_dump(field['default']).splitlines()[0]}`" if simple else ""


def _meaning(field: Schema) -> str:
    rules = {rule["message"]: rule.get("fieldPath", "") for rule in _rules(field)}
    said = [f"`{place[1:]}` {text}" if place else _upper(text) for text, place in rules.items()]
    return ". ".join([field.get("description", "").rstrip("."), *said]) + "."


def _upper(text: str) -> str:
    return text[0].upper() + text[1:]


def _rules(field: Schema) -> list[dict[str, str]]:
    return [
        *field.get("x-kubernetes-validations", ()),
        *field.get("items", {}).get("x-kubernetes-validations", ()),
    ]


def _reasons_page() -> str:
    sections = [line for section in reasons.Reason.__bases__ for line in _section(section)]
    return "\n".join(
        [
            "# Reasons\n",
            f"Generated from `core/dayfly_core/reasons/` by `{COMMAND}`.\n",
            "The same word stands in the answer to a request, in conditions, Events, the log and "
            "metrics.\n",
            *sections,
        ]
    )


def _section(section: type) -> Iterator[str]:
    title = (inspect.getdoc(section) or "").rstrip(".")
    yield f"## {title}\n"
    yield from table("Reason", "Meaning", "What to do", rows=_reasons(inspect.getsource(section)))
    yield ""


def _reasons(source: str) -> Iterator[tuple[str, ...]]:
    """Yield word, meaning and advice: each constant of the class with the text below it."""
    (section,) = ast.parse(source).body
    assert isinstance(section, ast.ClassDef)
    for constant, text in pairwise(section.body):
        if isinstance(constant, ast.AnnAssign) and constant.value is not None:
            yield _reason(ast.literal_eval(constant.value), text)


def _reason(word: str, text: ast.stmt) -> tuple[str, ...]:
    if not isinstance(text, ast.Expr):
        raise TypeError(f"Reason {word} has no text below it that says what it means")
    meaning, found, advice = " ".join(ast.literal_eval(text.value).split()).partition(" Do: ")
    if not found:
        raise ValueError(f"Reason {word} does not say what to do, after `Do:`")
    return f"`{word}`", meaning, _upper(advice)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
