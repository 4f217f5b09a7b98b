// What the page does without until its first view is there, in one module: portal.Built serves it as one file. Whatever
// is loaded by import(…) is loaded from here.
export { AuditView } from './audit-view.js';
export { ConnectorsView } from './connectors-view.js';
export { confirm } from './dialog.js';
export { explain } from './explain-dialog.js';
export { HistoryView } from './history-view.js';
export * as jobActions from './job-actions.js';
export { JobCard } from './job-card.js';
export { LiveRuns } from './live-runs.js';
export { NotificationsView } from './notifications-view.js';
export { PreviewView } from './preview-view.js';
export { RecentPreviews } from './recent-previews.js';
export { SyncView } from './sync-view.js';
export { UsersView } from './users-view.js';
