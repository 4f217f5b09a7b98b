// Notifications: who is told of what, by mail and by webhook, and what the receivers said.
import { h, fill, icon } from './dom.js';
import { copyButton } from './command.js';
import { Fields, lines } from './fields.js';
import { capital, moment } from './format.js';
import { failure, loading, notice, toast } from './notice.js';
import { about, sentence } from './words.js';
import * as api from './api.js';

/** @import { LastDelivery, Notifications, NotificationsRequest } from '../../types' */

/** What can be told, in words. */
const EVENTS = /** @type {const} */ ({
  failed: 'A sync failed', blocked: 'A sync was blocked and waits for you', recovered: 'Syncs work again',
  missed: 'No sync ran for twice its interval', changed: 'The Users List changed',
});

/** @typedef {keyof typeof EVENTS} Kind */

const KINDS = /** @type {Kind[]} */ (Object.keys(EVENTS));

/** What is chosen before anybody chose: changes would be a mail after nearly every sync. */
/** @type {ReadonlySet<string>} */
const AT_FIRST = new Set(KINDS.filter((kind) => kind !== 'changed'));

/** How long the page waits for what the receivers say about a test, and how often it asks, in milliseconds. */
const PATIENCE = 30_000;
const INTERVAL = 700;

/** A new secret: whsec_ and the base64 of 32 random bytes (Standard Webhooks). */
const newSecret = () => `whsec_${btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(32))))}`;

/** The view. */
export class NotificationsView {
  title = 'Notifications';

  /** @param {AbortSignal} signal aborted when the view goes */
  constructor(signal) {
    this.signal = signal;
    /** @type {string|null} */
    this.etag = null;
    const fields = this.fields = new Fields();
    this.email = fields.area('email', {
      label: 'Mail addresses', help: 'One on each line, ten at most. Each gets a mail of its own.',
      attributes: { inputmode: 'email', autocapitalize: 'none' },
    });
    this.mailNote = h('div', {});
    this.url = fields.text('webhook.url', {
      label: 'Webhook URL', attributes: { inputmode: 'url', placeholder: 'https://hooks.example.com/rollcall' },
      help: 'Events are sent here as signed CloudEvents. Leave it empty for none.',
    });
    this.secret = fields.text('webhook.secret', { label: 'Signing secret' });
    // Where the browser does not copy it, it is selected for somebody to do so.
    this.copy = copyButton(() => this.secret.text, 'The secret was copied.', () => this.secret.control.select());
    this.copy.hidden = true;
    /** @type {Map<Kind, HTMLInputElement>} */
    this.events = new Map();
    this.choices = KINDS.map((kind) => {
      const field = fields.check(`events.${kind}`, { label: EVENTS[kind] });
      this.events.set(kind, field.control);
      return field.element;
    });
    this.secret.control.addEventListener('input', () => this.#typed());
    this.url.control.addEventListener('input', () => this.#showSecretHelp());
    this.message = h('div', {});
    this.ended = h('div', {});
    this.submit = h('button', { class: 'primary' }, 'Save');
    this.test = h('button', { type: 'button', onclick: () => this.#test() }, 'Send test');
    this.results = h('div', {});
    this.content = h('div', {}, loading());
    this.element = h('div', { class: 'view' }, h('h1', { tabindex: '-1' }, 'Notifications'),
      h('p', { class: 'lead' }, 'Who is told how the imports fare, by mail and by webhook.'), this.content);
  }

  async enter() {
    try {
      const { body, etag } = await api.notifications(this.signal);
      this.etag = etag;
      this.#fill(body);
      fill(this.content, this.#form(), this.results);
    } catch (error) {
      if (this.signal.aborted) return;
      fill(this.content, failure(error, {
        title: 'The notifications cannot be read', retry: () => this.enter(),
      }));
    }
  }

  #form() {
    /** @param {SubmitEvent} event */
    const onsubmit = (event) => {
      event.preventDefault();
      this.#save();
    };
    const generate = h('button', { type: 'button', onclick: () => this.#generate() }, 'Generate');
    return h('section', { class: 'card' },
      h('form', { class: 'stack', novalidate: true, 'aria-label': 'Notifications', onsubmit },
        h('fieldset', {}, h('legend', {}, 'Tell about'), this.choices),
        this.email.element, this.mailNote,
        this.ended, this.url.element,
        h('div', {}, this.secret.element, h('div', { class: 'inline' }, generate, this.copy)),
        this.message, h('div', { class: 'actions' }, this.submit, this.test,
          h('span', { class: 'hint' }, 'A test goes to the receivers that are saved.'))));
  }

  /** Shows what is saved. @param {Notifications} saved */
  #fill(saved) {
    this.saved = saved;
    this.email.control.value = saved.email.join('\n');
    this.url.control.value = saved.webhook?.url ?? '';
    this.secret.control.value = '';
    this.#typed();
    const never = saved.updatedAt === null;
    for (const [kind, box] of this.events) box.checked = never ? AT_FIRST.has(kind) : saved.events.includes(kind);
    fill(this.mailNote, !saved.mail.available && notice('warning', 'No mails are sent here', saved.mail.note));
    this.#showSecretHelp();
    this.#showState();
  }

  /** A secret is only shown where somebody can take it along: before it is saved. */
  #typed() {
    this.copy.hidden = this.secret.text === '';
  }

  #showSecretHelp() {
    const kept = this.saved?.webhook?.secretSet && this.saved.webhook.url === this.url.text;
    this.secret.showHelp(kept ? 'Leave it empty to keep the stored one, which is never shown again.'
      : 'The receiver checks the signatures with it. Copy it now: once saved it is never shown again.');
  }

  #generate() {
    this.secret.control.value = newSecret();
    this.secret.showError('');
    this.#typed();
    this.copy.focus();
  }

  /** @returns {NotificationsRequest} */
  #request() {
    const url = this.url.text;
    const secret = this.secret.text;
    return {
      email: lines(this.email.control.value), webhook: url ? { url, ...(secret && { secret }) } : null,
      events: KINDS.filter((kind) => this.events.get(kind)?.checked),
    };
  }

  async #save() {
    fill(this.message);
    this.fields.clearErrors();
    this.submit.disabled = true;
    try {
      const { body, etag } = await api.saveNotifications(this.#request(), this.etag);
      this.etag = etag;
      this.#fill(body);
      toast('The notifications were saved.');
    } catch (error) {
      const errors = api.fieldErrors(error);
      const texts = this.fields.showErrors(errors).map(about);
      fill(this.message, errors.length > 0 ? notice('error', 'Some fields need another look', ...texts)
        : failure(error, api.hasStatus(error, 412) ? { retry: () => this.enter() } : {}));
    } finally {
      this.submit.disabled = false;
    }
  }

  /** Sends a test to whoever is saved, and shows what each receiver says. */
  async #test() {
    fill(this.message);
    this.test.disabled = true;
    try {
      const { eventId } = await api.testNotifications();
      fill(this.results, loading('The test is on its way…'));
      await this.#wait(eventId);
    } catch (error) {
      if (!this.signal.aborted) fill(this.message, failure(error));
    } finally {
      this.test.disabled = false;
      this.#showState();
    }
  }

  /** Reads until every receiver has said something about an event. @param {string} eventId */
  async #wait(eventId) {
    const began = performance.now();
    while (performance.now() - began < PATIENCE) {
      const { body } = await api.notifications(this.signal);
      this.saved = body;
      const asked = body.email.length + (body.webhook ? 1 : 0);
      if (body.deliveries.filter((d) => d.eventId === eventId).length >= asked) return;
      await new Promise((resolve) => { setTimeout(resolve, INTERVAL); });
    }
  }

  /** Shows what the receivers said, and whether the webhook's wants nothing more. */
  #showState() {
    const ended = this.saved?.webhook?.endedAt;
    fill(this.ended, ended && notice('warning', 'The webhook has ended',
      `At ${moment(ended)} the receiver answered 410 Gone: it wants no more events. Save to begin again.`));
    const deliveries = this.saved?.deliveries ?? [];
    fill(this.results, deliveries.length > 0 && h('section', { class: 'card', 'aria-labelledby': 'last-title' },
      h('h2', { id: 'last-title' }, 'What the receivers said last'),
      h('ul', { class: 'plain deliveries' }, deliveries.map(line))));
  }
}

/** @param {LastDelivery} delivery */
function line({ to, type, at, attempts, delivered, message, nextAt }) {
  const tries = attempts > 1 ? `, after ${attempts} tries` : '';
  const again = nextAt ? ` It is tried again at ${moment(nextAt)}.` : '';
  return h('li', { class: delivered ? 'delivered' : '' }, icon(delivered ? 'check' : 'alert'), h('div', {},
    h('strong', {}, to === 'webhook' ? 'Webhook' : to), ' ',
    h('span', { class: 'muted' }, `${wordsOf(type)}, ${moment(at)}${tries}`),
    h('p', {}, `${sentence(capital(message))}${again}`)));
}

/** What an event's type is in words. @param {string} type */
function wordsOf(type) {
  const kind = type.split('.').at(-1) ?? '';
  return Object.hasOwn(EVENTS, kind) ? Reflect.get(EVENTS, kind) : 'Test';
}
