(** [with_all_rules] and [accepted_is_linearizable]: what the program of Exec.v
    accepts with every rule on is a run of Members.v, so linearizable. *)
From Coq Require Import List Arith Lia Bool.
From Synod Require Import Ballot Model Safety History Linearizable Members MembersTheorem Chain Exec Checker
    CheckerSound Search.
From Synod Require Controls.
Import ListNotations.

Section Accepted.
Variable M0 : list nat.
Variable conf : nat -> config nat.
Hypothesis conf_0 : conf 0 = first_ nat M0.
Hypothesis conf_next : forall n, next nat (conf n) (conf (n + 1)).
Variable chg_ : ballot -> nat -> nat.
Notation PM := (PM M0 conf conf_0 conf_next chg_).
Notation Rel := (Rel M0 conf conf_0 conf_next chg_).

Ltac split_ok := repeat match goal with
  | H : (?a && ?b)%bool = true |- _ => destruct (proj1 (andb_true_iff a b) H); clear H
  | H : (?a || false)%bool = true |- _ => rewrite (orb_false_r a) in H
  | H : negb ?a = true |- _ => apply (proj1 (negb_true_iff a)) in H
  | H : Nat.eqb ?a ?b = true |- _ => apply (proj1 (Nat.eqb_eq a b)) in H
  | H : Nat.ltb ?a ?b = true |- _ => apply (proj1 (Nat.ltb_lt a b)) in H
  | H : blt ?a ?b = true |- _ => apply (blt_ok chg_ a b) in H end.
Ltac by_ L := let Z := fresh in pose proof L as Z;
  cbn [e_prom e_acc e_gone e_props e_proms e_votes e_reps e_hist e_K e_told e_joined] in Z; apply Z; auto.

Lemma exec1_sound s x e s' : Rel s x -> @mreachable PM x -> exec1 conf chg_ all_rules s e = Some s' ->
  exists y, @mstep PM x y /\ Rel s' y.
Proof.
  destruct s as [P A G props proms votes reps h K T J]. set (S0 := Est P A G props proms votes reps h K T J). intros
      Q I.
  unfold S0 at 1.
  destruct e as [c|a e|a g|a g|c v p pv q|a c v|c pv|r|a r|r b v q|a t|a|a l q|l f|l r q q2|a g|a|a];
    cbn -[Nat.leb Nat.ltb Nat.eqb Nat.even Nat.odd blt ble beq mem majb quorumb memberb openb answerb chosenb seesb
        rseesb tombb
          existsb forallb fence ep]; intros H;
    try (match type of H with (if ?b then _ else _) = _ => destruct b eqn:Ok; [|discriminate H] end);
    try discriminate H; injection H; clear H; intros <-.
  - split_ok. by_ (inv_sound M0 conf conf_0 conf_next chg_ S0 x c Q).
  - split_ok. by_ (promise_sound M0 conf conf_0 conf_next chg_ S0 x a (fence e) I Q).
  - split_ok. by_ (promise_sound M0 conf conf_0 conf_next chg_ S0 x a g I Q).
  - split_ok. match goal with B : ble _ _ = true |- _ => apply (ble_ok chg_) in B end. by_ (raise_sound M0 conf
      conf_0 conf_next chg_ S0 x a g Q).
  - split_ok. subst v. by_ (propose_sound M0 conf conf_0 conf_next chg_ S0 x c p pv q I Q).
    intros w u X. match goal with N : existsb _ props = false |- _ =>
      assert (Y : existsb (fun x => beq (fst x) c) props = true); [|congruence] end.
    apply existsb_exists. eexists; split; [exact X|]. apply beq_ok; auto.
  - split_ok. match goal with B : ble (P a) c = true |- _ => rewrite B; apply (ble_ok chg_) in B end.
    by_ (vote_sound M0 conf conf_0 conf_next chg_ S0 x a c v Q).
  - split_ok. by_ (ack_sound M0 conf conf_0 conf_next chg_ S0 x c pv Q).
  - split_ok. by_ (rinv_sound M0 conf conf_0 conf_next chg_ S0 x r Q).
  - split_ok. by_ (reply_sound M0 conf conf_0 conf_next chg_ S0 x a r Q).
  - split_ok. by_ (rack_sound M0 conf conf_0 conf_next chg_ S0 x r b v q I Q).
  - split_ok. match goal with B : beq _ t = true |- _ => apply beq_ok in B; subst t end.
    by_ (erase_sound M0 conf conf_0 conf_next chg_ S0 x a I Q).
  - by_ (tell_sound M0 conf conf_0 conf_next chg_ S0 x a Q).
  - split_ok. by_ (join_sound M0 conf conf_0 conf_next chg_ S0 x a l q Q).
  - split_ok. by_ (settle_sound M0 conf conf_0 conf_next chg_ S0 x l f Q).
  - split_ok. by_ (absent_sound M0 conf conf_0 conf_next chg_ S0 x l r q q2 I Q).
Qed.

Lemma rel_init : Rel est0 (M_ s0 (fun _ => False) (fun _ => false) (fun _ => 0) (fun _ _ _ => False) (fun _ _ =>
    False)).
Proof. split; cbn; intros; auto; try contradiction; split; intros []. Qed.

Theorem with_all_rules l s : exec conf chg_ all_rules est0 l = Some s ->
  exists x, @mreachable PM x /\ e_hist s = map (forget conf chg_) (hist (co x)).
Proof.
  assert (G : forall l s0 x, Rel s0 x -> @mreachable PM x -> exec conf chg_ all_rules s0 l = Some s ->
    exists y, @mreachable PM y /\ e_hist s = map (forget conf chg_) (hist (co y))).
  { clear l. induction l as [|e l IH]; intros s1 x Q I E; cbn [exec] in E.
    - injection E; intros; subst. exists x; split; auto. apply Q.
    - destruct (exec1 conf chg_ all_rules s1 e) as [s2|] eqn:E1; [|discriminate].
      destruct (exec1_sound _ _ _ _ Q I E1) as (y & S & Q'). eapply (IH s2 y); eauto. econstructor; eauto. }
  apply (G l _ _ rel_init). constructor.
Qed.
Theorem accepted_is_linearizable l s : exec conf chg_ all_rules est0 l = Some s ->
  linearizable_history conf chg_ (e_hist s).
Proof.
  intros E. destruct (with_all_rules _ _ E) as (x & I & ->). exists (hist (co x)). split; auto.
  apply (@members_linearizable PM x I).
Qed.
End Accepted.

(** the controls' own program, with every rule on, is right about every run *)
Theorem controls_with_all_rules chg_ l s : Controls.run all_rules chg_ l = Some s ->
  linearizable_history Controls.conf chg_ (e_hist s).
Proof. apply (accepted_is_linearizable [1; 2; 3] Controls.conf eq_refl Controls.conf_chain chg_). Qed.
