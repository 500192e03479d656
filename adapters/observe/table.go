package observe

// A Kind is a type of metric, in Prometheus' words.
type Kind string

// The kinds.
const (
	Counter   Kind = "counter"
	Gauge     Kind = "gauge"
	Histogram Kind = "histogram"
)

// A Metric is one that fanli has.
type Metric struct {
	Name   string
	Kind   Kind
	Help   string
	Labels []string
	// Read is whether it is read when Prometheus asks, out of what the process or
	// its databases have, rather than counted as things happen.
	Read bool
}

// The names of the metrics.
const (
	httpRequests         = "fanli_http_requests_total"
	httpDuration         = "fanli_http_request_duration_seconds"
	grpcAsked            = "fanli_grpc_client_calls_total"
	grpcAskedDuration    = "fanli_grpc_client_call_duration_seconds"
	grpcAnswered         = "fanli_grpc_server_calls_total"
	grpcAnsweredDuration = "fanli_grpc_server_call_duration_seconds"
	outsideRequests      = "fanli_outside_requests_total"
	outsideDuration      = "fanli_outside_request_duration_seconds"
	networkCalls         = "fanli_network_calls_total"
	networkDuration      = "fanli_network_call_duration_seconds"
	networkRefused       = "fanli_network_calls_refused_total"
	breakerState         = "fanli_network_breaker_state"
	jobRuns              = "fanli_job_runs_total"
	jobDone              = "fanli_job_done_total"
	jobDuration          = "fanli_job_run_duration_seconds"
	jobSuccess           = "fanli_job_last_success_timestamp_seconds"
	jobLease             = "fanli_job_lease_timestamp_seconds"
	eventsSaid           = "fanli_events_published_total"
	eventsHeard          = "fanli_events_heard_total"
	eventDelay           = "fanli_event_delay_seconds"
	turns                = "fanli_chat_turns_total"
	turnDuration         = "fanli_chat_turn_duration_seconds"
	channelEvents        = "fanli_channel_events_total"
	linksMade            = "fanli_links_made_total"
	notices              = "fanli_notices_total"
	mails                = "fanli_mail_total"
	payerBalance         = "fanli_payer_balance_fen"
	payerFloor           = "fanli_payer_floor_fen"
	auditSound           = "fanli_audit_sound"
	auditSuccess         = "fanli_audit_last_success_timestamp_seconds"
	configChanges        = "fanli_config_changes_total"
	logRecords           = "fanli_log_records_total"
	buildInfo            = "fanli_build_info"
	targetInfo           = "fanli_target_info"
	readErrors           = "fanli_read_errors_total"
)

// The names of what sources say.
const (
	Ready          = "fanli_ready"
	OutboxEvents   = "fanli_outbox_events"
	OutboxAge      = "fanli_outbox_oldest_age_seconds"
	DeadLetters    = "fanli_dead_letters"
	QueueEvents    = "fanli_queue_events"
	FeedSuccess    = "fanli_feed_last_success_timestamp_seconds"
	FeedFailures   = "fanli_feed_failures"
	LedgerEntries  = "fanli_ledger_entries_total"
	LedgerClearing = "fanli_ledger_clearing_fen"
	LedgerHouse    = "fanli_ledger_house_fen"
	Withdrawals    = "fanli_withdrawals"
	WithdrawalsAge = "fanli_withdrawals_oldest_age_seconds"
	SwitchOn       = "fanli_switch_on"
	MailWaiting    = "fanli_mail_waiting"
	MailAge        = "fanli_mail_oldest_age_seconds"
	MailDead       = "fanli_mail_dead"
	MergesStuck    = "fanli_merges_stuck"
	SealSuccess    = "fanli_seal_last_timestamp_seconds"
	DatabaseInUse  = "fanli_database_connections_in_use"
	DatabaseWaits  = "fanli_database_connection_waits_total"
)

// Metrics returns all metrics of fanli's own, as docs/metrics.md lists them.
func Metrics() []Metric {
	l := func(names ...string) []string { return names }
	return []Metric{
		{httpRequests, Counter, "Requests that were answered.", l("route", "method", "code"), false},
		{httpDuration, Histogram, "How long answers to requests took, without streams.", l("route"), false},
		{grpcAsked, Counter, "Calls to other targets, with their repetitions as one; code is gRPC's.", l("method", "code"), false},
		{grpcAskedDuration, Histogram, "How long calls to other targets took.", l("method"), false},
		{grpcAnswered, Counter, "Calls of other targets; code is ok or that of the fault.", l("method", "code"), false},
		{grpcAnsweredDuration, Histogram, "How long answers to other targets took.", l("method"), false},
		{outsideRequests, Counter, "HTTP requests to networks and payers; code is HTTP's, none where nobody answered.", l("to", "code"), false},
		{outsideDuration, Histogram, "How long networks and payers took to answer.", l("to"), false},
		{networkCalls, Counter, "Tries that reached a network; code is ok or that of the fault.", l("network", "role", "code"), false},
		{networkDuration, Histogram, "How long tries at a network took.", l("network", "role"), false},
		{networkRefused, Counter, "Calls to a network that did not leave: it rests, or the rate was used up.", l("network", "role"), false},
		{breakerState, Gauge, "How a network's role is, once that has changed: 0 well, 1 probing, 2 resting.", l("network", "role"), false},
		{jobRuns, Counter, "Runs of jobs under their lease.", l("job_name", "result"), false},
		{jobDone, Counter, "Things that jobs did.", l("job_name"), false},
		{jobDuration, Histogram, "How long runs of jobs took.", l("job_name"), false},
		{jobSuccess, Gauge, "When a job last ran without an error in this process.", l("job_name"), false},
		{jobLease, Gauge, "Until when this process has the lease of a job, as of its last run.", l("job_name"), false},
		{OutboxEvents, Gauge, "Events that wait in an outbox, due or not.", l("target"), true},
		{OutboxAge, Gauge, "How long the oldest event of an outbox has waited; 0 for none.", l("target"), true},
		{DeadLetters, Gauge, "Events that were given up and wait for an operator.", l("target"), true},
		{QueueEvents, Gauge, "Events that wait in a target's queue at the broker; each of its processes says it.", l("target"), true},
		{eventsSaid, Counter, "Events that were handed to the bus.", l("event", "result"), false},
		{eventsHeard, Counter, "Events that a target has handled.", l("target", "event", "result"), false},
		{eventDelay, Histogram, "How long after they became true events were handled.", l("target"), false},
		{turns, Counter, "Messages of people, by what came of them: answered, silent, or the code of the fault.", l("channel", "outcome"), false},
		{turnDuration, Histogram, "How long people waited for an answer.", l("channel"), false},
		{channelEvents, Counter, "What a channel did beside turns: what was delivered to its address and what came of it, callbacks refused by reason, ways of answers, notices, rights that were refused.", l("channel", "what", "how"), false},
		{linksMade, Counter, "Links that people were given.", l("network"), false},
		{notices, Counter, "Tries to tell people something unasked: ok, failed, or no_channel for users of a program, which has webhooks; off for what they have turned off, held for what waits for the end of their quiet hours, overtaken for what was old news by then.", l("result"), false},
		{MailWaiting, Gauge, "Messages of people that wait for an answer (side in), and replies that wait for delivery (side out).", l("channel", "side"), true},
		{MailAge, Gauge, "How long the oldest of them has waited; 0 for none.", l("channel", "side"), true},
		{MailDead, Gauge, "Those that came to nothing and wait for an operator.", l("channel", "side"), true},
		{mails, Counter, "Receipts of messages and ends of tries to answer or deliver them; outcome is a state, or fresh, known, full, parked.", l("channel", "side", "outcome"), false},
		{MergesStuck, Gauge, "Merges of accounts that are under way and have not moved for ten minutes.", nil, true},
		{FeedSuccess, Gauge, "When a stream of orders was last read.", l("network", "account", "scene"), true},
		{FeedFailures, Gauge, "Failures in a row of reading a stream of orders.", l("network", "account", "scene"), true},
		{LedgerEntries, Counter, "Entries of the ledger.", nil, true},
		{LedgerClearing, Gauge, "Balance of the account of a network, payer or collector, in fen.", l("account"), true},
		{LedgerHouse, Gauge, "Balance of an account of the house, in fen.", l("account"), true},
		{Withdrawals, Gauge, "Withdrawals that are not over, by state.", l("state"), true},
		{WithdrawalsAge, Gauge, "How long the oldest withdrawal in a state has been there; 0 for none.", l("state"), true},
		{payerBalance, Gauge, "Our money at a payer when it was last asked, in fen.", l("payer"), false},
		{payerFloor, Gauge, "Below which staff is told of it, in fen.", l("payer"), false},
		{SwitchOn, Gauge, "1 for each switch that staff have turned on.", l("scope"), true},
		{auditSound, Gauge, "Whether the last audit of this process found the books sound: 1 or 0.", nil, false},
		{auditSuccess, Gauge, "When an audit of this process last found the books sound.", nil, false},
		{SealSuccess, Gauge, "When the newest day was sealed.", nil, true},
		{configChanges, Counter, "Configurations that were applied or refused.", l("result"), false},
		{logRecords, Counter, "Lines of the log.", l("level"), true},
		{Ready, Gauge, "Whether this process answers /readyz with yes: 1 or 0.", nil, true},
		{DatabaseInUse, Gauge, "Connections to a target's database that are in use.", l("target"), true},
		{DatabaseWaits, Counter, "How often somebody waited for a connection.", l("target"), true},
		{readErrors, Counter, "Times that something could not be read for this list.", l("source"), false},
		{buildInfo, Gauge, "Always 1; which fanli this is.", l("version", "go_version"), false},
		{targetInfo, Gauge, "Always 1; a target that runs in this process.", l("target"), false},
	}
}
