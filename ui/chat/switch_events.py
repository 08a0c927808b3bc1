"""The events that change the conversation that a tab shows."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from ingestion.errors import RagError, UnknownName
from ui.background import BackgroundJob
from ui.chat.answer_events import TabStates, Update, address_of, buttons, connect_answer
from ui.chat.controller import ChatController
from ui.chat.following import Following
from ui.chat.layout import ChatLayout
from ui.chat.pane_events import heading
from ui.components.choices import collection_choices, described_strategies, document_choices
from ui.components.conversation import messages
from ui.components.events import QUICK, noticed
from ui.components.text import render_error
from ui.components.turns import Turns

_GONE = "This conversation was not opened: it is not there any more; ask below to begin a new one."


@dataclass(frozen=True, slots=True)
class SwitchEvents:
    """Connects the change to another conversation: new, kept, named by the page's address, or changed by
    another tab or a program."""

    chat: ChatController
    page: ChatLayout
    states: TabStates

    def connect(self, blocks: gr.Blocks) -> None:
        page, states, shown = self.page, self.states, self._outputs
        selected = [page.composer.selectors.strategy, page.composer.selectors.collection]
        around = [*selected, states.search]

        def begin_anew(job: BackgroundJob | None, *around: str) -> Update:
            return self._shown(None, job, *around)

        def choose(
            current: str | None,
            job: BackgroundJob | None,
            strategy: str,
            collection: str,
            search: str,
            event: gr.EventData,
        ) -> Update:
            chosen = str(event._data.get("id"))
            if chosen == current and job is not None and job.running:
                return self._unchanged()  # it is open, and its answer is followed
            return self._shown(chosen, job, strategy, collection, search)

        def delete(current: str | None, job: BackgroundJob | None, *around: str) -> Update:
            if current is not None:
                self.chat.assistant.delete_conversation(current)
            return self._shown(None, job, *around)

        def look(turns: Turns, current: str | None, job: BackgroundJob | None, *around: str) -> Update:
            if current is None or (job is not None and job.running):
                return self._unchanged()
            if not self.chat.conversations.has_changed(current, turns):
                return self._unchanged()
            return self._shown(current, job, *around)

        def restore(request: gr.Request) -> Update:
            return self._restored(dict(request.query_params))

        blocks.load(restore, None, [*shown, *selected, page.composer.selectors.only], **QUICK)
        anew = [page.title.new.click, page.chatbot.clear]
        gr.on(anew, begin_anew, [states.job, *around], shown, **QUICK)
        page.listing.select(choose, [states.current, states.job, *around], shown, **QUICK)
        delete_told, outputs = noticed(delete, shown, page.title.notice)
        page.title.confirm.click(delete_told, [states.current, states.job, *around], outputs, **QUICK)
        looked_at = [states.turns, states.current, states.job, *around]
        page.changes.input(look, looked_at, shown, trigger_mode="once", **QUICK)
        connect_answer(self.chat, page, states, page.follow.change)

    @property
    def _outputs(self) -> list[Any]:
        """The components that change with the conversation."""
        page, states = self.page, self.states
        shown = [states.turns, page.chatbot, page.sources, page.viewer, states.current, page.composer.notice]
        shown += [page.listing, page.address, *page.title.heading, states.as_is]
        return [*shown, states.job, page.composer.send, page.composer.stop, page.follow]

    def _unchanged(self) -> Update:
        return tuple(gr.skip() for _ in self._outputs)

    def _shown(
        self,
        conversation: str | None,
        job: BackgroundJob | None,
        strategy: str | None,
        collection: str | None,
        search: str = "",
        notices: Sequence[str] = (),
    ) -> Update:
        """Return the values of a conversation, which takes the place of the one that is open.

        An answer that is being written for the other one goes on; where one is being written for this one,
        the tab follows it.
        """
        chat = self.chat
        if job is not None:
            job.abandon()
        turns: Turns = ()
        following: Following | None = None
        if conversation is not None:
            try:
                turns, following = chat.conversations.turns(conversation)
            except UnknownName:
                notices = (*notices, _GONE)
                conversation = None
            except RagError as error:
                notices = (*notices, f"The conversation was not opened: {error}")
                conversation = None
        return (
            turns,
            messages(turns),
            chat.evidence.sources(turns[-1] if turns else None),
            "",
            conversation,
            "".join(map(render_error, notices)),
            chat.conversations.listed(conversation, search),
            address_of(conversation, strategy, collection),
            *heading(chat.conversations, conversation),
            False,
            following,
            *buttons(following),
            secrets.token_hex(4) if following else gr.skip(),
        )

    def _restored(self, address: dict[str, str]) -> Update:
        """Return the values that the page's address names, and the selectors."""
        assistant = self.chat.assistant
        strategies = described_strategies(assistant.strategies())
        collections = collection_choices(assistant)
        found: dict[str, str] = {}
        unknown = []
        for name, choices, usual in (
            ("strategy", strategies, assistant.options().strategy),
            ("collection", collections, assistant.settings.collection),
        ):
            offered = [value for _, value in choices]
            default = usual if usual in offered or not offered else offered[0]
            wanted = address.get(name, default)
            found[name] = wanted if wanted in offered else default
            if name in address and found[name] != wanted:
                unknown.append(f"There is no {name} {wanted!r} here; {default} is chosen.")
        restored = self._shown(
            address.get("conversation"), None, found["strategy"], found["collection"], notices=unknown
        )
        if "conversation" not in address:  # a quick person has asked already: that stays
            kept = [*(gr.skip() for _ in range(5)), *restored[5:7], gr.skip()]
            restored = (*kept, *(gr.skip() for _ in restored[8:]))
        values: dict[str, dict[str, Any]] = {
            name: {"value": value} if name in address else {} for name, value in found.items()
        }
        return (
            *restored,
            # The strategies may be more than when the page was built.
            gr.Radio(choices=strategies, **values["strategy"]),
            gr.Dropdown(choices=collections, **values["collection"]),
            gr.Dropdown(choices=document_choices(assistant, found["collection"])),
        )
