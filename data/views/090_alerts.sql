-- One row per finding and run: sent, waiting or withheld, and why.
create view alerts as
select a.alert_id, a.kind, a.use_case, a.rec, a.channel, a.created_at, a.withheld_because,
    e.sent is not null and e.sent as sent, e.sent_at, e.last_outcome, a.message ->> '$.text' as text
from alert a
left join outbox o using (alert_id)
left join (select message_id, bool_or(outcome = 'sent') as sent, min(happened_at) filter (outcome = 'sent') as sent_at,
    max_by(outcome, happened_at) as last_outcome from outbox_event group by message_id) e using (message_id);
comment on view alerts is 'Every message decided, sent or withheld. One row per alert. From: `undercut check` and the answers of Slack.';
comment on column alerts.alert_id is 'Id of the alert';
comment on column alerts.kind is 'onboarding, cheaper, better, price_rise, retirement, ...';
comment on column alerts.use_case is 'Use case; empty: concerns several';
comment on column alerts.rec is 'Recommendation it tells of';
comment on column alerts.channel is 'Slack channel';
comment on column alerts.created_at is 'When it was decided, UTC';
comment on column alerts.withheld_because is 'Rule that withheld it; empty: meant to be sent';
comment on column alerts.sent is 'True once Slack took it';
comment on column alerts.sent_at is 'When Slack took it, UTC';
comment on column alerts.last_outcome is 'Last delivery outcome';
comment on column alerts.text is 'The plain text of the message';
