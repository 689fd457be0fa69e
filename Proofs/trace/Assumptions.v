(** What the trace checker's theorems rest on: [Closed under the global context] means nothing but their hypotheses. *)
From Trace Require Import Verdict Configured.
Print Assumptions accepted_is_a_run.
Print Assumptions accepted_linearizable.
Print Assumptions accepted_revisions.
Print Assumptions accepted_stays.
Print Assumptions accepted_applied.
Print Assumptions decided_is_chosen.
Print Assumptions follows_ok.
