"""M marks a moment wherever the viewer is on the page, except while text is being written.

Streamlit's own shortcuts rest while any field of a form has the focus, a switch among them, and
hear nothing of what is pressed inside a component's frame, which is where the focus is after a
click on START. This small component hears both and presses the same button. It sends nothing to
the server by itself, so it causes no rerun.

It also hands the focus on where a button gives way to another, such as Pause to Go on: a keyboard's
next press is then meant for that one.
"""

from __future__ import annotations

import streamlit as st

MARK_KEY = "live_mark"
PAUSE_KEY, GO_ON_KEY = "live_pause", "live_go_on"
RECORD_KEY, END_KEY = "live_record", "live_end"
"""Keys of the buttons."""
PAIRS = ((PAUSE_KEY, GO_ON_KEY), (RECORD_KEY, END_KEY))
"""Those that take each other's place."""

_JS = r"""
const FRAME = 'iframe[title="streamlit_webrtc.component.webrtc_streamer"]';
const WRITING = 'input:not([type=checkbox]):not([type=radio]):not([type=range])' +
  ':not([type=button]), textarea, select, [contenteditable]';

export default function (component) {
  const button = () => document.querySelector(`.st-key-${component.data.key} button`);
  const press = event => {
    if (event.key?.toLowerCase() !== 'm' || event.repeat) return;
    if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    const at = event.target;
    // Elsewhere on the page the shortcut of the button itself has done it.
    const missed = at.ownerDocument !== document || at.tagName === 'INPUT';
    if (missed && !at.closest?.(WRITING)) button()?.click();
  };
  let inside = null;
  const listen = () => {
    let found = null;
    try { found = document.querySelector(FRAME)?.contentDocument; } catch (error) { /* gone */ }
    if (found === inside) return;
    inside?.removeEventListener('keydown', press);
    inside = found;
    inside?.addEventListener('keydown', press);
  };
  document.addEventListener('keydown', press);
  listen();
  const pairs = component.data.pairs;
  // With a help text there are two of each, one for narrow pages and one for wide ones.
  const find = key => [...document.querySelectorAll(`.st-key-${key} button`)].find(
    each => each.getClientRects().length > 0);
  // Kept outside: this function runs anew with the run of the page that takes the button away.
  const note = event => {
    window.ferLivePressed = pairs.flat().find(key => event.target.closest?.(`.st-key-${key}`));
  };
  const handOn = () => {
    const last = window.ferLivePressed;
    if (!last || document.activeElement !== document.body || find(last)) return;
    const other = pairs.find(pair => pair.includes(last)).find(key => key !== last);
    find(other)?.focus({preventScroll: true});
  };
  const changes = new MutationObserver(handOn);
  changes.observe(document.body, {childList: true, subtree: true});
  document.addEventListener('focusin', note);
  document.addEventListener('pointerdown', note);
  handOn();
  const timer = setInterval(listen, 400);
  return () => {
    clearInterval(timer);
    changes.disconnect();
    document.removeEventListener('focusin', note);
    document.removeEventListener('pointerdown', note);
    document.removeEventListener('keydown', press);
    inside?.removeEventListener('keydown', press);
  };
}
"""


def mark_anywhere() -> None:
    """Draw it; nothing can be seen of it."""
    # Made known on every run: see `ui.camera_hint`.
    mount = st.components.v2.component("fer_live_keys", html="<i hidden></i>", js=_JS)
    mount(key="live_keys", data={"key": MARK_KEY, "pairs": PAIRS}, height="content")
