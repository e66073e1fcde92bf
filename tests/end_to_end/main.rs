//! The gateway end to end: the built binary between real and hostile peers. One behaviour per file.

#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "../lab/mod.rs"]
mod lab;
mod world;

mod a_bad_start_is_refused_in_clear_words;
mod a_crash_leaves_what_the_table_says;
mod a_held_message_leaves_when_its_peer_is_mended;
mod a_kept_link_that_died_is_no_failure;
mod a_listener_can_speak_tls_from_the_first_octet;
mod a_message_arrives_as_it_was_sent;
mod a_peer_must_prove_itself_for_verified_mail;
mod a_peers_limits_are_kept;
mod a_plain_peer_gets_ordinary_mail_only;
mod a_programme_logs_in_from_anywhere;
mod a_relay_wants_to_know_who_we_are;
mod a_small_message_goes_in_one_flight;
mod a_stop_takes_nothing_more_and_loses_nothing;
mod a_stopped_gateway_finishes_what_is_open;
mod a_stranger_cannot_relay;
mod attacks_on_starttls_uncover_nothing;
mod automatic_mail_leaves_without_its_text;
mod below_the_mark_what_was_kept_goes_on;
mod clinical_mail_crosses_only_inside_tls;
mod each_recipient_has_a_fate_and_it_is_told_once;
mod every_steps_refusal_is_understood;
mod everything_goes_by_the_smarthost;
mod failed_tls_uncovers_ordinary_mail_only;
mod mail_does_not_go_round;
mod mail_finds_its_host;
mod mail_of_an_older_version_is_delivered;
mod many_clients_share_what_there_is;
mod nobody_smuggles_a_message;
mod nothing_clinical_is_said_of_a_message;
mod nothing_from_outside_begins_a_log_line;
mod one_bad_host_does_not_cost_every_message;
mod operators_decide_what_waits;
mod receipts_come_when_they_were_asked_for;
mod reports_are_read_by_other_programmes;
mod slow_and_endless_clients_are_let_go;
mod too_much_is_put_off;
mod what_fails_is_tried_again_until_it_expires;
mod what_happened_can_be_asked;
