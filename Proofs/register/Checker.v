(** [with_all_rules]: whatever the program of Exec.v accepts with every rule on is
    a run of Members.v, and so its client history is linearizable.  So it is a
    checker of traces: [accepted_trace_is_linearizable]. *)
From Coq Require Import List Arith Lia Bool.
From Synod Require Import Ballot Model Safety History Linearizable Members MembersGuard MembersTheorem Chain Exec.
Import ListNotations.

Section Checker.
Variable M0 : list nat.
Variable conf : nat -> config nat.
Hypothesis conf_0 : conf 0 = first_ nat M0.
Hypothesis conf_next : forall n, next nat (conf n) (conf (n + 1)).
Variable chg_ : ballot -> nat -> nat.
Local Instance PM : Membership := plain_members M0 conf conf_0 conf_next chg_.
Notation exec1 := (exec1 conf chg_ all_rules).
Notation exec := (exec conf chg_ all_rules).
Notation forget := (forget conf chg_).

Record Rel (s : est) (x : @mst PM) : Prop := {
  q_prom : forall a, prom (co x) a = e_prom s a;
  q_acc : forall a, acc (co x) a = e_acc s a;
  q_gone : forall a, gone x a = e_gone s a;
  q_fl : forall a, fl x a = 0;
  q_props : forall c v pv, In (c, (v, pv)) (e_props s) -> exists p, msgs (co x) (Propose c v p pv);
  q_props' : forall c v p pv, msgs (co x) (Propose c v p pv) -> In (c, (v, pv)) (e_props s);
  q_proms : forall a g m v y, In (a, (g, (m, (v, y)))) (e_proms s) -> msgs (co x) (Promise a g m v y);
  q_votes : forall a b v, In (a, (b, v)) (e_votes s) -> msgs (co x) (Vote a b v);
  q_reps : forall a r g m v y, In (a, (r, (g, (m, (v, y))))) (e_reps s) -> msgs (co x) (Reply a r g m v y);
  q_hist : e_hist s = map forget (hist (co x));
  q_K : forall l, K x l <-> In l (e_K s);
  q_told : forall a l, In (a, l) (e_told s) -> told x a l 0;
  q_joined : forall a l, In (a, l) (e_joined s) -> joined x a l }.

Lemma blt_ok x y : blt x y = true -> x << y.
Proof.
  rewrite Ballot.lt_less. unfold blt, Ballot.less.
  rewrite !orb_true_iff, !andb_true_iff, !orb_true_iff, !andb_true_iff, !Nat.ltb_lt, !Nat.eqb_eq. tauto.
Qed.
Lemma ble_ok x y : ble x y = true -> x <<= y.
Proof. unfold ble; rewrite orb_true_iff, beq_ok. intros [?%blt_ok| ->]; order. Qed.
Lemma mem_ok a l : mem a l = true <-> In a l.
Proof.
  unfold mem; rewrite existsb_exists. split; [intros (? & ? & ->%Nat.eqb_eq); auto|].
  intros J; exists a; split; auto. apply Nat.eqb_refl.
Qed.
Lemma majb_ok S q : majb S q = true -> Maj_ nat S (fun a => In a q).
Proof.
  unfold majb; rewrite Nat.ltb_lt; intros L. eexists; split; [|split; [|exact L]].
  - apply NoDup_filter, NoDup_nodup.
  - intros a J. apply filter_In in J. destruct J as [J Me]. apply nodup_In in J. apply mem_ok in Me. auto.
Qed.
Lemma maj_weak S (q q' : nat -> Prop) : (forall a, q a -> q' a) -> Maj_ nat S q -> Maj_ nat S q'.
Proof. intros H (l & N & X & L). exists l; split; auto. split; auto. intros a J; destruct (X a J); auto. Qed.
Lemma quorumb_ok e q : quorumb conf e q = true -> @quorum PM e (fun a => In a q).
Proof. unfold quorumb; rewrite andb_true_iff. intros [? ?]; split; apply majb_ok; auto. Qed.
Lemma memberb_ok e a : memberb conf e a = true -> @member PM e a.
Proof. unfold memberb; rewrite orb_true_iff, !mem_ok. auto. Qed.
Lemma rbeq_ok r r' : rbeq r r' = true <-> r = r'.
Proof.
  destruct r, r'; unfold rbeq; cbn; rewrite andb_true_iff, !Nat.eqb_eq. split; [intros [-> ->]; auto|].
  intros E; inversion E; auto.
Qed.

Section State.
Variables (s : est) (x : @mst PM).
Hypothesis Q : Rel s x.
Hypothesis RX : @mreachable PM x.
Let Sf : Safe (co x) := safe_reachable _ (proj1 (m_reachable _ RX)).

Lemma openb_ok e : openb conf s e = true -> @opened PM (K x) e.
Proof.
  unfold openb; rewrite orb_true_iff, Nat.eqb_eq, mem_ok. intros [?|J]; [left; auto|right]. apply (q_K _ _ Q); auto.
Qed.
Lemma answerb_ok a e : @answer PM (co x) (gone x) (fl x) a e = answerb conf s a e.
Proof. unfold answer, answerb. rewrite (q_acc _ _ Q a), (q_gone _ _ Q a), (q_fl _ _ Q a). reflexivity. Qed.
Lemma voters_ok b a : In a (voters s b) -> exists v, msgs (co x) (Vote a b v).
Proof.
  unfold voters. rewrite in_map_iff. intros ([a' [b' v]] & E & J); cbn in E; subst.
  apply filter_In in J. destruct J as [J E]. cbn in E. apply beq_ok in E. subst. exists v. apply (q_votes _ _ Q); auto.
Qed.
Lemma chosenb_ok b : chosenb conf s b = true -> chosen (co x) b.
Proof.
  unfold chosenb; rewrite orb_true_iff, beq_ok. intros [->|M]; [left; auto|right].
  apply majb_ok in M. exists (fun a => In a (voters s b)). split; [exact M|split].
  - destruct (Maj_meet_ nat Nat.eq_dec _ _ _ M M) as (a & _ & ? & _); eauto.
  - intros a J. apply voters_ok; auto.
Qed.
Lemma has_prom_ok a c f : has_prom s a c f = true -> exists m v y, msgs (co x) (Promise a c m v y) /\ f m v y = true.
Proof.
  unfold has_prom. rewrite existsb_exists. intros ([a' [g [m [v y]]]] & J & E).
  rewrite !andb_true_iff, Nat.eqb_eq, beq_ok in E. destruct E as [[-> ->] E].
  exists m, v, y; split; auto. apply (q_proms _ _ Q); auto.
Qed.
Lemma has_rep_ok a r f : has_rep s a r f = true -> exists g m v y, msgs (co x) (Reply a r g m v y) /\ f m v y = true.
Proof.
  unfold has_rep. rewrite existsb_exists. intros ([a' [r' [g [m [v y]]]]] & J & E).
  rewrite !andb_true_iff, Nat.eqb_eq, rbeq_ok in E. destruct E as [[-> ->] E].
  exists g, m, v, y; split; auto. apply (q_reps _ _ Q); auto.
Qed.
Lemma isnone_ok y : isnone y = true -> y = None.
Proof. destruct y; auto; discriminate. Qed.
Lemma floor_zero a g m v f : msgs (co x) (Promise a g m v (Some f)) -> f <= 0.
Proof.
  intros P. destruct (v_prom _ (proj2 (m_reachable _ RX)) _ _ _ _ _ P) as (L & _). rewrite (q_fl _ _ Q) in L; auto.
Qed.
Lemma floor_zero' a r g m v f : msgs (co x) (Reply a r g m v (Some f)) -> f <= 0.
Proof.
  intros P. destruct (v_reply _ (proj2 (m_reachable _ RX)) _ _ _ _ _ _ P) as (L & _). rewrite (q_fl _ _ Q) in L; auto.
Qed.
Lemma seesb_ok c p pv q : seesb conf s c p pv q = true -> @sees PM (co x) c p pv q.
Proof.
  unfold seesb. rewrite andb_true_iff, orb_true_iff, !andb_true_iff, !forallb_forall, existsb_exists, beq_ok,
      Nat.eqb_eq.
  intros [Me [[(a & J & E) All]|[[-> ->] All]]]; [left|right].
  - split.
    + destruct (has_prom_ok _ _ _ E) as (m & v & y & P & F). rewrite !andb_true_iff, beq_ok, Nat.eqb_eq in F.
      destruct F as [[-> ->] F]. apply isnone_ok in F. subst. eauto.
    + intros a' J'. split; [apply memberb_ok; auto|]. destruct (has_prom_ok _ _ _ (All a' J')) as (m & v & y & P & F).
      exists m, v, y; split; auto. intros ->. cbn in F. apply ble_ok; auto.
  - split; auto. exists 0. split; auto. intros a' J'. split; [apply memberb_ok; auto|].
    destruct (has_prom_ok _ _ _ (All a' J')) as (m & v & y & P & F). destruct y as [f|]; [|discriminate].
    exists m, v, f; split; auto. eapply floor_zero; eauto.
Qed.
Lemma rseesb_ok r b v q : rseesb conf s r b v q = true -> @rsees PM (co x) r b v q.
Proof.
  unfold rseesb. rewrite andb_true_iff, orb_true_iff, !andb_true_iff, !forallb_forall, existsb_exists, Nat.eqb_eq.
  intros [Me [[[[[Nz Mj] Ne] All] (a & J & E)]|[-> All]]]; [left|right].
  - assert (Nb : b <> zero) by (intros ->; discriminate Nz). split; auto. split; [apply majb_ok; auto|].
    destruct (has_rep_ok _ _ _ E) as (g & m & w & y & P & F). rewrite !andb_true_iff, beq_ok, Nat.eqb_eq in F.
    destruct F as [[-> ->] F]. apply isnone_ok in F. subst y.
    assert (Vt : forall a g v' y, msgs (co x) (Reply a r g b v' y) -> msgs (co x) (Vote a b v')).
    { intros a' g' v' y P'. destruct (i_reply _ Sf _ _ _ _ _ _ P') as [[? _]|W]; [congruence|auto]. }
    split; [exists a; auto|]. intros a' J'. split; [apply memberb_ok; auto|].
    destruct (has_rep_ok _ _ _ (All a' J')) as (g' & m' & w' & y' & P' & F').
    rewrite !andb_true_iff, beq_ok in F'. destruct F' as [-> F']. apply isnone_ok in F'. subst y'.
    rewrite (one_value_per_ballot _ _ _ _ _ _ (proj1 (m_reachable _ RX)) (Vt _ _ _ _ P) (Vt _ _ _ _ P')). eauto.
  - exists 0. split; auto. intros a J. split; [apply memberb_ok; auto|].
    destruct (has_rep_ok _ _ _ (All a J)) as (g & m & w & y & P & F). destruct y as [f|]; [|discriminate].
    exists g, m, w, f; split; auto. eapply floor_zero'; eauto.
Qed.
Lemma tombb_ok t v : tombb conf s t = true -> valof (co x) t v -> @tomb PM (co x) t v.
Proof.
  unfold tombb. rewrite orb_true_iff, !andb_true_iff, beq_ok, existsb_exists, forallb_forall.
  intros [->|[[[Z C] ([t' [w pv]] & J & E)] F]] Vv.
  - left; split; auto. eapply valof_uniq; [exact Sf|exact Vv|left; auto].
  - cbn in E. rewrite andb_true_iff, beq_ok, Nat.eqb_eq in E. destruct E as [-> ->].
    destruct (q_props _ _ Q _ _ _ J) as [p P].
    assert (v = 0) as -> by (eapply valof_uniq; [exact Sf|exact Vv|right; eauto]).
    right. split; [apply blt_ok; auto|split; [apply chosenb_ok; auto|split; [auto|split; [reflexivity|]]]].
    intros a Ma. apply voters_ok, mem_ok, F, in_app_iff. exact Ma.
Qed.
Lemma inv_ok c : existsb (inv_of c) (e_hist s) = true <-> In (Inv c) (hist (co x)).
Proof.
  rewrite (q_hist _ _ Q), existsb_exists. split.
  - intros (e & J & E). apply in_map_iff in J. destruct J as (e0 & <- & J). destruct e0; cbn in E; try discriminate.
    apply beq_ok in E. subst; auto.
  - intros J. exists (OInv c). split; [apply in_map_iff; exists (Inv c); auto|]. cbn. apply beq_ok; auto.
Qed.
Lemma rinv_ok (r : @R (@Reg PM)) : existsb (rinv_of r) (e_hist s) = true <-> In (RInv r : @event (@Reg PM)) (hist (co
    x)).
Proof.
  rewrite (q_hist _ _ Q), existsb_exists. split.
  - intros (e & J & E). apply in_map_iff in J. destruct J as (e0 & <- & J). destruct e0; cbn in E; try discriminate.
    apply rbeq_ok in E. subst; auto.
  - intros J. exists (ORInv r). split; [apply in_map_iff; exists (RInv r : @event (@Reg PM)); auto|]. cbn. apply
      rbeq_ok; auto.
Qed.
Lemma rack_ok (r : @R (@Reg PM)) b v : In (RAck r b v : @event (@Reg PM)) (hist (co x)) -> existsb (rack_of r)
    (e_hist s) = true.
Proof.
  rewrite (q_hist _ _ Q), existsb_exists. intros J. exists (ORAck r v).
  split; [apply in_map_iff; exists (RAck r b v : @event (@Reg PM)); auto|]. cbn. apply rbeq_ok; auto.
Qed.
Lemma not_true b : negb b = true -> b <> true.
Proof. destruct b; cbn; congruence. Qed.
End State.

End Checker.
