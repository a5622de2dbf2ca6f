"""The timeline beside a clip: a click, a key or a moment in the list takes the player there.

It acts on the player in the page itself and sends nothing to the server, so it causes no rerun.
What it shows is made by the server (`ui.video_timeline`), every name and word in it escaped.
"""

from __future__ import annotations

import streamlit as st

PLAYER = "video_player"
"""Key of the container that holds the player."""

_HTML = '<div class="whole"></div>'

_CSS = """
.whole {--side:4.4rem; color:var(--st-text-color); font-family:var(--st-font); font-size:.9rem}
.bar {display:flex; align-items:center; gap:.6rem; margin-bottom:.5rem}
.bar button {flex:0 0 calc(var(--side) - .6rem); height:2.2rem; cursor:pointer; font:inherit;
  color:inherit; border:1px solid color-mix(in srgb, currentColor 30%, transparent);
  border-radius:.4rem; background:transparent}
.slider {flex:1; height:2.2rem; position:relative; cursor:pointer; border-radius:.4rem;
  touch-action:pan-y; background:color-mix(in srgb, currentColor 9%, transparent)}
.slider i {position:absolute; left:0; top:0; bottom:0; border-radius:.4rem 0 0 .4rem;
  background:color-mix(in srgb, var(--st-primary-color) 35%, transparent); pointer-events:none}
.slider span {position:absolute; inset:0; display:flex; align-items:center; padding:0 .6rem;
  pointer-events:none; font-variant-numeric:tabular-nums}
.slider:focus-visible, button:focus-visible {outline:3px solid var(--st-primary-color);
  outline-offset:2px}
.lanes {position:relative}
.lane {display:flex; align-items:stretch; gap:.6rem; margin-bottom:.45rem}
.who {flex:0 0 calc(var(--side) - .6rem); display:flex; align-items:center; gap:.3rem;
  font-size:.82rem}
.who img {width:2.4rem; height:2.4rem; object-fit:cover; border-radius:.35rem; flex:none}
.strip {flex:1; min-width:0; cursor:pointer; border-radius:.35rem; overflow:hidden;
  background:color-mix(in srgb, currentColor 6%, transparent)}
.strip svg {display:block; width:100%; height:2.6rem}
.now {position:absolute; top:0; bottom:.45rem; width:2px; margin-left:-1px; pointer-events:none;
  background:var(--st-text-color); box-shadow:0 0 0 1px var(--st-background-color);
  left:calc(var(--side) + (100% - var(--side)) * var(--at, 0))}
.key {display:flex; flex-wrap:wrap; gap:.15rem .8rem; margin:.3rem 0 .2rem; padding:0;
  list-style:none; font-size:.8rem}
.key b {display:inline-block; width:.75rem; height:.75rem; border-radius:.2rem;
  margin-right:.3rem; vertical-align:-.06rem}
h4 {margin:.9rem 0 .35rem; font-size:.95rem; font-weight:600}
.moments {margin:0; padding:0; list-style:none; display:flex; flex-wrap:wrap; gap:.4rem}
.moments button {font:inherit; color:inherit; cursor:pointer; padding:.3rem .6rem;
  min-height:2rem; text-align:left; border-radius:.4rem; background:transparent;
  border:1px solid color-mix(in srgb, currentColor 30%, transparent)}
.moments button:hover, .bar button:hover {border-color:var(--st-primary-color)}
.moments time {font-variant-numeric:tabular-nums; font-weight:600; margin-right:.3rem}
.hint {opacity:.75; font-size:.8rem; margin:.3rem 0 0}
"""

_JS = r"""
const clock = s => {
  const tenths = Math.max(0, Math.floor(s * 10 + 1e-6));
  const whole = Math.floor(tenths / 10), h = Math.floor(whole / 3600);
  const m = Math.floor(whole / 60) % 60, two = n => String(n).padStart(2, '0');
  return (h ? `${h}:${two(m)}` : m) + `:${two(whole % 60)}.${tenths % 10}`;
};

export default function (component) {
  const {html, seconds, player, asked} = component.data;
  const root = component.parentElement.querySelector('.whole');
  if (root.shown !== html) { root.innerHTML = html; root.shown = html; }
  const find = what => root.querySelector(what);
  const slider = find('.slider'), play = find('.bar button'), lanes = find('.lanes');
  const video = () => document.querySelector(player);
  const length = () => {
    const given = video()?.duration;
    return Number.isFinite(given) && given > 0 ? given : seconds;
  };
  const go = time => {
    const v = video();
    // The very end is after the last frame: some players show nothing there.
    if (v) v.currentTime = Math.min(Math.max(0, time), Math.max(0, length() - 0.02));
    tick();
  };
  const toggle = () => {
    const v = video();
    if (v) { if (v.paused) v.play().catch(() => {}); else v.pause(); }
  };
  let last = '';
  const tick = () => {
    const v = video(), at = v ? v.currentTime : 0, whole = length();
    const state = `${at}|${whole}|${v ? v.paused : true}`;
    if (state === last) return;
    last = state;
    const share = whole > 0 ? Math.min(1, at / whole) : 0;
    lanes.style.setProperty('--at', share);
    slider.querySelector('i').style.width = `${100 * share}%`;
    slider.querySelector('span').textContent = `${clock(at)} of ${clock(whole)}`;
    slider.setAttribute('aria-valuemax', whole.toFixed(1));
    slider.setAttribute('aria-valuenow', at.toFixed(1));
    slider.setAttribute('aria-valuetext', `${clock(at)} of ${clock(whole)}`);
    play.textContent = !v || v.paused ? 'Play' : 'Pause';
  };
  const across = (event, box) => {
    const edges = box.getBoundingClientRect();
    return length() * Math.min(1, Math.max(0, (event.clientX - edges.left) / edges.width));
  };
  const steps = {ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1};
  const keys = event => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const v = video(), at = v ? v.currentTime : 0;
    if (event.key in steps) go(at + steps[event.key] * (event.shiftKey ? 5 : 1));
    else if (event.key === 'PageUp') go(at + length() / 10);
    else if (event.key === 'PageDown') go(at - length() / 10);
    else if (event.key === 'Home') go(0);
    else if (event.key === 'End') go(length());
    else if (event.key === ' ' || event.key === 'Enter') toggle();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  let held = null;
  const down = event => {
    const box = event.target.closest('.slider, .strip');
    if (!box || event.button > 0) return;
    if (event.pointerType === 'mouse') { held = box; box.setPointerCapture?.(event.pointerId); }
    go(across(event, box));
    if (box !== slider) event.preventDefault();
    slider.focus({preventScroll: true, focusVisible: false});
  };
  const move = event => { if (held) go(across(event, held)); };
  const up = () => { held = null; };
  const press = event => {
    const asked = event.target.closest('[data-seek]');
    if (asked) go(Number(asked.dataset.seek));
    else if (event.target.closest('.bar button')) toggle();
  };
  slider.addEventListener('keydown', keys);
  root.addEventListener('pointerdown', down);
  root.addEventListener('pointermove', move);
  root.addEventListener('pointerup', up);
  root.addEventListener('pointercancel', up);
  root.addEventListener('click', press);
  tick();
  let grown = null;
  if (asked && root.asked !== asked) {
    // Below a long list, or on a phone, the result would come unseen.
    const still = matchMedia('(prefers-reduced-motion: reduce)').matches;
    const v = video(), result = v?.closest('[data-testid="stLayoutWrapper"]') || root;
    const show = how => result.scrollIntoView({block: 'start', behavior: how});
    show(still ? 'auto' : 'smooth');
    slider.focus({preventScroll: true, focusVisible: false});
    // The browser keeps what is below the player in place while that grows to its clip's height.
    let height = v?.offsetHeight;
    grown = new ResizeObserver(() => {
      if (v.offsetHeight !== height) { height = v.offsetHeight; show('auto'); }
    });
    if (v) grown.observe(v);
    setTimeout(() => grown.disconnect(), 3000);
  }
  root.asked = asked;
  const timer = setInterval(tick, 100);
  return () => {
    grown?.disconnect();
    clearInterval(timer);
    slider.removeEventListener('keydown', keys);
    root.removeEventListener('pointerdown', down);
    root.removeEventListener('pointermove', move);
    root.removeEventListener('pointerup', up);
    root.removeEventListener('pointercancel', up);
    root.removeEventListener('click', press);
  };
}
"""


def seekable(html: str, seconds: float, asked: int | None = None) -> None:
    """Draw a timeline that acts on the page's player.

    Args:
        html: from `ui.video_timeline`.
        seconds: length of the clip, until the player knows it better.
        asked: when the viewer asked for this result: the page then goes there, once for each time.
    """
    # Made known in every run, as a server that starts anew knows no component.
    mount = st.components.v2.component("fer_live_video_timeline", html=_HTML, css=_CSS, js=_JS)
    mount(
        key="video_timeline",
        data={
            "html": html,
            "seconds": seconds,
            "player": f".st-key-{PLAYER} video",
            "asked": None if asked is None else str(asked),
        },
    )
