from __future__ import annotations

import json
import os
import re
import select
import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from udist_plugin.mail import Mailer
from udist_plugin.server.log import LINE, QUEUED, Log
from udist_plugin.server.log_formats import formatter

if TYPE_CHECKING:
    from collections.abc import Iterator

FIELDS = {
    "service": "my registry",
    "environment": "staging",
    "count": 3,
    "flag": True,
    "none": None,
    "msg": "clash",
    "quote": 'a"b',
    "e": "",
}
NOW = 1795482105.594274
MESSAGE = "redis not configured"
TEXT = (
    'time="2026-11-24T01:01:45.594274Z" level=warning msg="redis not configured" count=3 e= '
    'environment=staging fields.msg=clash flag=true quote="a\\"b" service="my registry"\n'
)
"""What distribution v3.1.2 writes with these fields, but for its digits of the second and its own fields."""


class TestFormats:
    def test_text_is_what_distribution_writes(self) -> None:
        assert formatter("text", FIELDS)(NOW, "warn", MESSAGE) == TEXT
        assert formatter("text", {})(NOW, "info", "drained") == (
            'time="2026-11-24T01:01:45.594274Z" level=info msg=drained\n'
        )

    def test_json_is_what_distribution_writes(self) -> None:
        assert formatter("json", FIELDS)(NOW, "warn", MESSAGE) == (
            '{"count":3,"e":"","environment":"staging","fields.msg":"clash","flag":true,"level":"warning",'
            '"msg":"redis not configured","quote":"a\\"b","service":"my registry",'
            '"time":"2026-11-24T01:01:45.594274Z"}\n'
        )

    def test_logstash_has_the_names_that_logstash_knows(self) -> None:
        record = json.loads(formatter("logstash", {"message": "clash"})(NOW, "error", MESSAGE))
        assert record == {
            "@timestamp": "2026-11-24T01:01:45.594274Z",
            "@version": "1",
            "fields.message": "clash",
            "level": "error",
            "message": MESSAGE,
        }

    @pytest.mark.parametrize("name", ["text", "json", "logstash"])
    @given(message=st.text(), value=st.text(), field=st.text())
    def test_nothing_in_a_record_can_end_its_line(
        self, name: str, message: str, value: str, field: str
    ) -> None:
        line = formatter(name, {field: value})(NOW, "info", message)
        assert line.splitlines(keepends=True) == [line]
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f]", line) or name != "text"
        if name != "text":
            record = json.loads(line)
            assert record["msg" if name == "json" else "message"] == message


class Piped(Log):
    """A log into a pipe."""

    def __init__(self) -> None:
        self.reader, self.writer = os.pipe()
        super().__init__(self.writer)

    def written(self) -> str:
        """What was written since this was last asked."""
        data = b""
        while True:
            ended = self.drain(0.01)
            if select.select([self.reader], [], [], 0)[0]:
                data += os.read(self.reader, 1 << 20)
            elif ended:
                return data.decode()


@pytest.fixture
def log() -> Iterator[Piped]:
    log = Piped()
    yield log
    log.written()
    os.close(log.reader)
    os.close(log.writer)


class TestLog:
    def test_records_below_the_level_are_not_written(self, log: Piped) -> None:
        log.configure("warn", "text", {"service": "registry"})
        for level in ("debug", "info", "warn", "error"):
            log.record(level, f"of {level}")
        found = re.findall(r"level=(\w+) msg=\"(.*?)\" service=registry\n", log.written())
        assert found == [("warning", "of warn"), ("error", "of error")]

    def test_lines_of_another_form_stand_between_them(self, log: Piped) -> None:
        log.configure("error", "json", {})
        log.line("as it is")
        log.write("one\n\ntwo\n")
        line, *records = log.written().splitlines()
        assert line == "as it is"
        assert [json.loads(record)["msg"] for record in records] == ["one", "two"]

    @pytest.mark.parametrize("form", ["text", "json", "logstash"])
    def test_records_say_where_they_are_from(self, log: Piped, form: str) -> None:
        """As logrus does, whose fields of these names give way."""
        log.configure("info", form, {"file": "a field", "zone": "a"}, report_caller=True)
        record = Mailer([], {}, 0).watch(log.record)
        line = sys._getframe().f_lineno + 1
        record("info", "here")
        log.write("there\n")
        function = f"{__name__}.TestLog.test_records_say_where_they_are_from"
        place = f"{__file__}:{line}"
        here, there = log.written().splitlines()
        if form == "text":
            assert here.endswith(f' msg=here func={function} file="{place}" fields.file="a field" zone=a')
        else:
            told = json.loads(here)
            assert (told["func"], told["file"]) == (function, place)
            assert told["fields.file"] == "a field"
        assert function in there

    def test_a_long_message_is_cut(self, log: Piped) -> None:
        log.configure("info", "json", {})
        log.record("info", "x" * (LINE + 1))
        assert json.loads(log.written())["msg"] == "x" * LINE

    def test_a_stream_that_others_made_non_blocking_loses_nothing(self, log: Piped) -> None:
        os.set_blocking(log.writer, False)
        for number in range(QUEUED // 2):
            log.line(f"{number} {'x' * 1000}")
        assert not log.drain(0.2)
        lines = log.written().splitlines()
        assert [line.partition(" ")[0] for line in lines] == [str(number) for number in range(QUEUED // 2)]

    def test_who_reads_late_is_told_what_was_dropped(self, log: Piped) -> None:
        log.configure("info", "json", {"service": "registry"})
        most = 2 * QUEUED
        for _ in range(most):
            log.line("x" * LINE)
        written = log.written()
        log.record("info", "read again")
        *warnings, record = [line for line in (written + log.written()).splitlines() if line[0] != "x"]
        dropped = 0
        for warning in map(json.loads, warnings):  # more than one if the writer began only after the first
            assert (warning["level"], warning["service"]) == ("warning", "registry")
            told = re.fullmatch(r"(\d+) lines of the log were dropped", warning["msg"])
            assert told
            dropped += int(told[1])
        assert 0 < dropped == most - written.count("x\n")
        assert json.loads(record)["msg"] == "read again"
