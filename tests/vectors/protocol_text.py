"""PROTOCOL.md as data: its tables and its hex dump."""

from __future__ import annotations

from pathlib import Path

TEXT = (Path(__file__).parents[2] / "proto" / "PROTOCOL.md").read_text()


def table(*header: str) -> list[dict[str, str]]:
    """The rows of the one table whose header begins with these cells, by column; ``code`` marks dropped."""
    lines = TEXT.splitlines()
    begins = [at for at, line in enumerate(lines) if _cells(line)[: len(header)] == list(header)]
    assert len(begins) == 1, f"{len(begins)} tables begin with {header}"
    columns = _cells(lines[begins[0]])
    rows = []
    for line in lines[begins[0] + 2 :]:
        if not line.startswith("|"):
            break
        cells = _cells(line)
        assert len(cells) == len(columns), line
        rows.append(dict(zip(columns, cells, strict=True)))
    return rows


def block(language: str) -> str:
    """What the one code block of this language holds."""
    _, content = TEXT.split(f"```{language}\n")
    return content.split("\n```")[0]


def hexdump() -> list[tuple[str, bytes]]:
    """The frames of the annotated conversation: who sends, and the bytes."""
    frames: list[tuple[str, bytes]] = []
    for line in block("hexdump").splitlines():
        if ":" in line.split("  ")[0]:
            frames.append((line.partition(":")[0], b""))
        elif line:
            side, data = frames[-1]
            frames[-1] = side, data + bytes.fromhex(line.partition("   ")[0])
    return frames


def _cells(line: str) -> list[str]:
    if not line.startswith("|"):
        return []
    return [cell.strip().replace("`", "") for cell in line.strip("|").split(" | ")]
