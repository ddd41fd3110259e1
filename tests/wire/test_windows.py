"""Credit: never more than the window's size, never lost, and what grew goes back to the budget."""

from __future__ import annotations

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from udist_plugin.errors import RemoteProtocolError
from udist_plugin.wire.caller import CallerConnection
from udist_plugin.wire.constants import INITIAL_CREDIT, MAX_CREDIT, MAX_DATA
from udist_plugin.wire.frames import Frame, Request, Response, Settings
from udist_plugin.wire.windows import Budget, ReceiveWindow, SendWindow

MEMORY = 3 << 20
LARGEST = 2 << 20
amounts = st.sampled_from((1, 100, 4096, INITIAL_CREDIT // 2, INITIAL_CREDIT, MAX_DATA)) | st.integers(
    1, LARGEST
)


class Windows(RuleBasedStateMachine):
    """Receivers that share a budget, each with the sender's idea of its credit beside it."""

    def __init__(self) -> None:
        super().__init__()
        self.budget = Budget(MEMORY)
        self.open: list[tuple[ReceiveWindow, SendWindow]] = []

    windows = Bundle("windows")

    @rule(target=windows)
    def begin(self) -> tuple[ReceiveWindow, SendWindow]:
        pair = ReceiveWindow(self.budget, LARGEST), SendWindow()
        self.open.append(pair)
        return pair

    @rule(pair=windows, amount=amounts)
    def send(self, pair: tuple[ReceiveWindow, SendWindow], amount: int) -> None:
        receiver, sender = pair
        if receiver.ended:
            return
        amount = min(amount, sender.credit)
        sender.credit -= amount
        receiver.receive(amount)

    @rule(pair=windows, amount=amounts)
    def overdraw(self, pair: tuple[ReceiveWindow, SendWindow], amount: int) -> None:
        receiver, sender = pair
        if not receiver.ended:
            with pytest.raises(RemoteProtocolError, match=f"with {receiver.credit} bytes of credit"):
                receiver.receive(sender.credit + amount)

    @rule(pair=windows, amount=amounts)
    def consume(self, pair: tuple[ReceiveWindow, SendWindow], amount: int) -> None:
        receiver, sender = pair
        size = receiver.size
        if announced := receiver.consume(min(amount, receiver.unread)):
            assert not receiver.ended
            assert announced * 2 >= size, "an announcement for less than half of the window"
            sender.grow(announced)

    @rule(pair=windows)
    def end(self, pair: tuple[ReceiveWindow, SendWindow]) -> None:
        pair[0].end()

    @rule(pair=consumes(windows))
    def close(self, pair: tuple[ReceiveWindow, SendWindow]) -> None:
        receiver, _ = pair
        receiver.close()
        receiver.close()
        assert receiver.size == INITIAL_CREDIT
        self.open.remove(pair)

    @invariant()
    def credit_is_conserved(self) -> None:
        for receiver, sender in self.open:
            assert receiver.unread >= 0
            if not receiver.ended:
                assert receiver.credit == sender.credit
                assert receiver.credit + receiver.unread <= receiver.size <= LARGEST

    @invariant()
    def a_sender_whose_receiver_keeps_up_goes_on(self) -> None:
        for receiver, sender in self.open:
            assert sender.credit or receiver.unread or receiver.ended

    @invariant()
    def the_budget_is_conserved(self) -> None:
        grown = sum(receiver.size - INITIAL_CREDIT for receiver, _ in self.open)
        assert self.budget.left == MEMORY - grown >= 0

    @invariant()
    def what_ended_and_was_read_holds_nothing(self) -> None:
        for receiver, _ in self.open:
            if receiver.ended and not receiver.unread:
                assert receiver.size == INITIAL_CREDIT


TestWindows = Windows.TestCase


def test_a_busy_stream_grows_to_the_largest_and_no_further() -> None:
    budget = Budget(64 << 20)
    window = ReceiveWindow(budget, 8 << 20)
    while (credit := window.credit) < 8 << 20:
        window.receive(credit)
        window.consume(credit)
        assert window.credit == 2 * credit, "a window whose consumer keeps up doubles"
    window.receive(window.credit)
    assert window.consume(8 << 20) == 8 << 20
    assert budget.left == (64 << 20) - (8 << 20) + INITIAL_CREDIT


def test_nothing_is_announced_before_half_of_the_window_is_free() -> None:
    window = ReceiveWindow(Budget(0), 8 << 20)
    window.receive(INITIAL_CREDIT)
    assert window.consume(INITIAL_CREDIT // 2 - 1) == 0
    assert window.consume(1) == INITIAL_CREDIT // 2


@pytest.mark.parametrize("amount", [0, -1, MAX_CREDIT - INITIAL_CREDIT + 1])
def test_an_update_of_nothing_or_too_much_is_refused(amount: int) -> None:
    with pytest.raises(RemoteProtocolError, match="a window update of"):
        SendWindow().grow(amount)


def test_credit_may_reach_its_limit() -> None:
    window = SendWindow()
    window.grow(MAX_CREDIT - INITIAL_CREDIT)
    assert window.credit == MAX_CREDIT


def test_what_is_read_after_the_end_gives_no_credit() -> None:
    budget = Budget(MEMORY)
    window = ReceiveWindow(budget, LARGEST)
    window.receive(INITIAL_CREDIT)
    window.end()
    for _ in range(2):
        assert window.consume(INITIAL_CREDIT // 2) == 0
    assert budget.left == MEMORY


def test_a_complete_response_that_nobody_reads_on_holds_nothing() -> None:
    connection = CallerConnection(memory=MEMORY)
    connection.receive(Frame(0, Settings([1])))
    stream, _ = connection.open(Request("GET", "http", "", "/"), True)
    connection.receive(Frame(1, Response(200)))
    connection.receive_data(1, INITIAL_CREDIT, False)
    connection.consume(stream, INITIAL_CREDIT)
    connection.receive_data(1, 2 * INITIAL_CREDIT, True)
    assert connection._budget.left == MEMORY - INITIAL_CREDIT
    assert connection.reset(stream, "CANCELLED") == b""
    assert connection._budget.left == MEMORY
