"""The panel in the browser: it fetches what it shows, and causes no run of the page for that."""

from __future__ import annotations

from dataclasses import asdict

import streamlit as st

from ui.live_feed import PanelNow

SECONDS = 0.5
"""From one look to the next."""

_HTML = '<div class="fer-view"><div></div><div></div></div>'

_JS = r"""
const PATIENCE = 3000;  // of the page, until it is asked to run once more
const running = new WeakMap();
const pause = (ms, signal) => new Promise(done => {
  const timer = setTimeout(done, ms);
  signal.addEventListener('abort', () => { clearTimeout(timer); done(); }, {once: true});
});

export default function ({parentElement, data, setTriggerValue}) {
  const [panel, timeline] = parentElement.querySelector('.fer-view').children;
  const put = now => {
    if (panel.shown !== now.panel) panel.innerHTML = panel.shown = now.panel;
    if (timeline.shown !== now.timeline) timeline.innerHTML = timeline.shown = now.timeline;
  };
  // With every run of the page this function runs again, and its last run must end.
  running.get(parentElement)?.abort();
  const end = new AbortController();
  running.set(parentElement, end);
  put(data);
  let asked = -PATIENCE;
  const runPage = patience => {
    if (performance.now() - asked < patience) return;
    asked = performance.now();
    setTriggerValue('around', `${asked}`);
  };
  const look = async () => {
    const answer = await fetch(data.address, {signal: end.signal, cache: 'no-store'});
    const known = answer.ok && answer.headers.get('content-type')?.includes('json');
    if (end.signal.aborted) return;
    // A server, or a proxy before it, that knows no such address: as Streamlit does it, then.
    if (!known) return runPage(1000 * data.seconds);
    const now = await answer.json();
    if (end.signal.aborted) return;
    put(now);
    if (now.around !== data.around) runPage(PATIENCE);
  };
  const goOn = async () => {
    for (let next = performance.now(); ;) {
      next = Math.max(next + 1000 * data.seconds, performance.now());
      await pause(next - performance.now(), end.signal);
      if (end.signal.aborted) return;
      try { await look(); } catch (error) { /* no connection: the page says so itself */ }
    }
  };
  if (data.address) goOn();
  return () => running.get(parentElement)?.abort();
}
"""


def live_view(now: PanelNow, address: str | None) -> None:
    """Draw the panel.

    Args:
        now: to begin with.
        address: of the feed that it goes on with; None if it is to stay as it is.
    """
    # Made known on every run: see `ui.camera_hint`.
    mount = st.components.v2.component("fer_live_view", html=_HTML, js=_JS, isolate_styles=False)
    mount(
        key="live_view",
        data={**asdict(now), "address": address, "seconds": SECONDS},
        on_around_change=_nothing,
    )


def _nothing() -> None:
    """The run of the page itself is what was asked for."""
