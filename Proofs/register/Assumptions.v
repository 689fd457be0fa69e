(** What each theorem rests on: [Closed under the global context] means nothing but its own hypotheses. *)
From Synod Require Import Ballot Model Safety History Linearizable Cell Once Members MembersGuard MembersTheorem
    Config Chain.
From Synod Require Controls Accepted.
Print Assumptions one_value_per_ballot.
Print Assumptions descent.
Print Assumptions linearizability.
Print Assumptions revisions_never_repeat.
Print Assumptions revisions_grow.
Print Assumptions at_most_once.
Print Assumptions applied_is_true.
Print Assumptions replayed_is_true.
Print Assumptions settled_is_true.
Print Assumptions not_applied_is_true.
Print Assumptions dead_is_true.
Print Assumptions members_linearizable.
Print Assumptions no_lost_register.
Print Assumptions ghosts_exist.
Print Assumptions erased_is_tombstone.
Print Assumptions Config.agreement.
Print Assumptions Config.succession.
Print Assumptions Config.installed_agree.
Print Assumptions chain_exists.
Print Assumptions whole_linearizable.
Print Assumptions whole_revisions.
Print Assumptions whole_once.
Print Assumptions Controls.without_R1_not_linearizable.
Print Assumptions Controls.without_R2_not_linearizable.
Print Assumptions Controls.without_R3_not_linearizable.
Print Assumptions Controls.without_R4_not_linearizable.
Print Assumptions Controls.without_R5_not_linearizable.
Print Assumptions Controls.without_R6_not_linearizable.
Print Assumptions Controls.without_R11_not_linearizable.
Print Assumptions Controls.without_R12_not_linearizable.
Print Assumptions Controls.without_R13_not_linearizable.
Print Assumptions Controls.without_R14_not_linearizable.
Print Assumptions Controls.all_rules_run.
Print Assumptions Accepted.with_all_rules.
Print Assumptions Accepted.accepted_is_linearizable.
Print Assumptions Accepted.controls_with_all_rules.
