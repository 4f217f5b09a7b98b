// The types that several modules of the page share. Those of the API are made from docs/openapi.json.
import type { components } from './api';

type Schemas = components['schemas'];

export interface Page<T> {
  items: T[];
  next?: string;
  /** How many rows the server looked at for this page. */
  scanned?: number;
  /** How many items the whole list has, on its first page. */
  total?: number;
}

/** What every list of addresses has. */
export interface Item {
  address: string;
  kind: string;
  primaryAddress: string;
  type: string;
  reason?: string;
}

export type Preview = Schemas['Preview'];
export type Explanation = Schemas['Explanation'];
export type ExplainedEntry = Explanation['entries'][number];
export type ExplanationRequest = Schemas['ExplanationBody'];
export type Sync = Schemas['Sync'];
export type Export = Schemas['Export'];
export type Settings = Schemas['Settings'];
export type Schedule = NonNullable<Settings['schedule']>;
export type Options = Settings['options'];
export type Step = Schemas['Step'];
export type Certificate = NonNullable<Step['certificate']>;
export type Failure = Schemas['Failure'];
export type User = Schemas['User'];
export type Notifications = Schemas['Notifications'];
export type NotificationsRequest = Schemas['NotificationsBody'];
export type LastDelivery = Schemas['LastDelivery'];
export type Connector = Schemas['ConnectorView'];
export type ConnectorInstance = Connector['instances'][number];
export type Enrolment = Schemas['Enrolment'];
export type AuditEntry = Schemas['AuditEntry'];
export type FieldError = Schemas['FieldError'];
export type Started = Schemas['Started'];
export type State = Started['state'];

/** A row of a preview, or of a sync, which also knows the user before and after, and what became of the change. */
export type Row = Schemas['Row'] & Partial<Pick<Schemas['Change'], 'before' | 'after' | 'outcome'>>;

export type ServerType = Schemas['ConnectionInput']['serverType'];
export type ConnectionInput =
  Required<Omit<Schemas['ConnectionInput'], 'password' | 'passwordSet' | 'allowUnencrypted' | 'connectorId'>>
  & { password?: string, connectorId?: string };
export type Advanced = Schemas['AdvancedInput'];
export type PreviewRequest = Schemas['PreviewBody'];
export type SyncRequest = Schemas['SyncBody'];
export type SaveRequest = Schemas['SaveBody'];
/** A schedule of null ends it. */
export type PatchRequest =
  Omit<Schemas['PatchSettingsBody'], 'schedule'> & { schedule?: Schemas['ScheduleChange'] | null };
export type RowsFilter = Schemas['RowsFilter'];
export type ChangesFilter = Schemas['ChangesFilter'];
export type NewUser = Schemas['AddBody'];
export type UserPatch = Schemas['PatchBody'];
export type Facets = Schemas['Facets'];
export type UsersFilter = Schemas['UsersFilter'];

/** What the settings form holds that is not a setting itself, and what a tab keeps of it: never the password. */
export interface Draft {
  connection: ConnectionInput;
  advanced: Advanced;
  applied: boolean;
  /** Whether the Advanced Settings are in view. */
  opened: boolean;
  portTyped: boolean;
}

/** Whatever can stand in an element. */
export type Child = Node | string | null | undefined | false | readonly Child[];

/** An element's attributes, properties and listeners, as dom.js takes them. */
export interface Props {
  onclick?: (event: MouseEvent) => unknown;
  onchange?: (event: Event) => unknown;
  oninput?: (event: Event) => unknown;
  onkeydown?: (event: KeyboardEvent) => unknown;
  onsubmit?: (event: SubmitEvent) => unknown;
  [name: string]: string | number | boolean | null | undefined | ((event: never) => unknown);
}

/** What the page shows at a place. */
export interface View {
  title: string;
  element: HTMLElement;
  /** Called each time that the view is shown. */
  enter(): unknown;
}
