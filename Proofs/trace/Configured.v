(** The register of the configuration, as a trace shows it (PROTOCOL, Membership).

    How to read it.  The checker takes the chain of configurations from what the
    nodes install.  Here is what its two functions for that register mean:

    - [decided_is_chosen]: where [decides] says that an event shows content w to
      be chosen in epoch n, a quorum of epoch n's own configuration has voted for a
      cell with that content, at a ballot of epoch n.  This is [Config.k_chosen];
      the checker asks it of the configuration of n+1 before any node may install
      that ("only a chosen configuration is installed");
    - [follows_ok]: the sets that [follows] lets a proposer put in the place of
      epoch e's are those of an allowed successor ([Chain.next]): the CAS. *)
From Coq Require Import NArith PArith List Bool Lia Arith FMapPositive.
From Synod Require Import Ballot Model Safety History Linearizable Cell Once Members MembersTheorem Chain.
From Trace Require Import Numbers Chains Check Sound SoundReads Verdict.
Import ListNotations.

Lemma checks_app v s o l1 l2 : checks v s o (l1 ++ l2) =
  match checks v s o l1 with Ok s' o' => checks v s' o' l2 | No r => No r end.
Proof.
  revert s o; induction l1 as [|e l1 IH]; intros s o; cbn; auto. destruct (check v s e) as [s1 o1|]; auto.
Qed.

Section Configured.
Variable M0 : list node.
Variable chs : list change_.
Variable v : env.
Hypothesis env_is : env_of M0 chs = Some v.

(** a quorum of epoch n has voted for a cell of content w, at a ballot of that epoch *)
Definition chosen_of folds (x : @mst (MI M0 chs folds)) (n w : N) := exists b c q, ep b = N.to_nat n /\
  quorum_ node (conf M0 chs (N.to_nat n)) (fun a => In a q) /\ content c = Some w /\
  forall a, In a q -> msgs (co x) (@Vote (@Reg (MI M0 chs folds)) a b c).

Lemma decides_ok folds s (x : @mst (MI M0 chs folds)) h e s' o n w : Rel M0 chs folds s x h -> mreachable x ->
  check v s e = Ok s' o -> decides s e = Some (n, w) -> chosen_of folds x n w.
Proof.
  intros Q R Ck D. destruct e as [| | | | | | | |c told| | |rd tag b r wo| |]; try discriminate D; cbn in D, Ck.
  - destruct (pfind c (t_props s)) as [pr|] eqn:F; [|discriminate].
    destruct (ncontent (b_cell pr)) as [w'|] eqn:Cw; [|discriminate]. injection D; intros <- <-.
    unfold ack in Ck. rewrite F in Ck. destruct (at_ v (nep c)) as [fc|] eqn:E; [|discriminate]. unfold need in Ck.
    destruct (quorumb fc (b_voters pr)) eqn:Hq; [|discriminate].
    destruct (q_props _ _ _ _ _ _ Q _ _ F) as [[[par Pr] _] Vo].
    exists (B c), (cell_of (b_cell pr)), (b_voters pr). split; [apply B_ep|split; [|split; [exact Cw|]]].
    + exact (quorum_ok _ _ _ env_is folds _ _ _ E Hq).
    + intros a J. destruct (Vo a J) as (u & V).
      pose proof (safe _ _ _ _ R) as Sf. destruct (i_vote _ Sf _ _ _ V) as (_ & p & pv & P).
      destruct (i_uniq _ Sf _ _ _ _ _ _ _ P Pr) as (-> & _). exact V.
  - destruct wo as [w'|]; [|discriminate]. destruct (PM.find rd (t_reads s)) as [d|] eqn:F; [|discriminate].
    destruct (negb (nbeq b nzero)) eqn:Nz; [|discriminate]. cbn [andb] in D.
    destruct (fst (d_id d) =? nep b)%N eqn:En; [|discriminate]. injection D; intros <- <-. apply N.eqb_eq in En.
    unfold returned in Ck. rewrite F in Ck. unfold need in Ck. destruct (d_tag d =? tag)%N; [|discriminate].
    destruct (at_ v (fst (d_id d))) as [fc|] eqn:E; [|discriminate].
    destruct (quorumb fc _) eqn:Hq; [|discriminate]. destruct (nbeq b nzero || _) eqn:Su; [|discriminate].
    destruct (if nbeq b nzero then _ else _) as [c|] eqn:Ce; [|discriminate].
    destruct (opt_eqb (ncontent c) (Some w') && _) eqn:Cw; [|discriminate].
    apply andb_true_iff in Cw. destruct Cw as [Cw _].
    assert (Cc : ncontent c = Some w') by (destruct (ncontent c) as [u|]; cbn in Cw; [apply N.eqb_eq in Cw; subst; auto|discriminate]).
    pose proof (rsees_ok _ _ _ env_is folds _ _ _ _ _ _ _ _ Q R F E Hq Su Ce) as Se.
    pose proof (quorum_ok _ _ _ env_is folds _ _ _ E Hq) as Qu. rewrite En in Qu.
    destruct Se as [(Zb & _ & _ & Al)|(r0 & Va & _)].
    + exists (B b), (cell_of c), (map fst (filter (reports fc b) (d_reps d))).
      split; [apply B_ep|split; [exact Qu|split; [exact Cc|]]]. intros a J. destruct (Al a J) as (_ & g & Rp).
      destruct (i_reply _ (safe _ _ _ _ R) _ _ _ _ _ _ Rp) as [[X _]|V]; [congruence|exact V].
    + exfalso. assert (X : content (cell_of c) = None) by (rewrite Va; reflexivity). cbn in X. congruence.
Qed.

Theorem decided_is_chosen l e s o n w : checks v st0 [] (l ++ [e]) = Ok s o ->
  (forall s1 o1, checks v st0 [] l = Ok s1 o1 -> decides s1 e = Some (n, w)) ->
  let folds := folds_of (l ++ [e]) in exists x : @mst (MI M0 chs folds), mreachable x /\ chosen_of folds x n w.
Proof.
  intros A D folds. pose proof A as A'. rewrite checks_app in A'.
  destruct (checks v st0 [] l) as [s1 o1|] eqn:E; [|discriminate]. specialize (D s1 o1 eq_refl). cbn in A'.
  destruct (check v s1 e) as [s2 o2|] eqn:Ck; [|discriminate].
  assert (Ag : forall e', In e' (l ++ [e]) -> agrees_with folds e').
  { intros e' J. destruct e'; cbn; auto. eapply folds_ok; eauto. }
  assert (G : forall l' s0' o0' x, (forall e', In e' l' -> agrees_with folds e') -> Rel M0 chs folds s0' x o0' ->
    mreachable x -> checks v s0' o0' l' = Ok s1 o1 -> exists y, mreachable y /\ Rel M0 chs folds s1 y o1).
  { induction l' as [|e0 l' IH]; intros s3 o3 x Al Q R Es; cbn in Es; [injection Es; intros; subst; eauto|].
    pose proof (sound_check M0 chs v env_is folds s3 e0 (Al e0 (or_introl eq_refl))) as S.
    destruct (check v s3 e0) as [s4 o4|]; [|discriminate]. destruct (S x o3 Q R) as (y & Ry & Qy).
    eapply IH; eauto. intros e' J. apply Al; right; auto. }
  destruct (G l st0 [] _ (fun e' J => Ag e' (in_or_app _ _ _ (or_introl J))) (rel_start M0 chs (l ++ [e])) (mr_init) E)
    as (y & Ry & Qy).
  exists y. split; auto. eapply decides_ok; eauto.
Qed.

Lemma same_set_ok l l' : same_set l l' = true -> forall a, In a l <-> In a l'.
Proof.
  unfold same_set. rewrite andb_true_iff, !forallb_forall. intros [H H'] a.
  split; intros J; apply memp_ok; auto.
Qed.
Theorem follows_ok e o n : follows v e o n = true -> exists d, next node (conf M0 chs (N.to_nat e)) d /\
  epoch node d = N.to_nat e + 1 /\ forall a, (In a (c_old node d) <-> In a o) /\ (In a (c_new node d) <-> In a n).
Proof.
  unfold follows. destruct (at_ v e) as [fc|] eqn:E; [|discriminate].
  destruct (env_ok _ _ _ env_is _ _ E) as (Ee & Eo & En & _). unfold old_, new_ in Eo, En.
  set (c := conf M0 chs (N.to_nat e)) in *.
  assert (Ep : epoch node c = N.to_nat e) by (apply (conf_epoch node M0 (conf M0 chs) (conf_0 M0 chs) (conf_next M0 chs))).
  assert (Ev : N.even e = Nat.even (N.to_nat e)) by (rewrite <- even_of, N2Nat.id; auto).
  rewrite Ev. destruct (Nat.even (N.to_nat e)) eqn:Pe.
  - intros H. apply andb_true_iff in H. destruct H as [H _]. pose proof (same_set_ok _ _ H) as So. rewrite Eo in So.
    eexists. split; [apply (n_begin node c n (fun a => if in_dec Pos.eq_dec a (c_old node c) then since_ node c a else epoch node c + 1))|].
    + rewrite Ep; auto.
    + intros a J. destruct (in_dec Pos.eq_dec a (c_old node c)); tauto.
    + intros a J. destruct (in_dec Pos.eq_dec a (c_old node c)); tauto.
    + cbn. split; [lia|]. intros a. specialize (So a). tauto.
  - intros H. apply andb_true_iff in H. destruct H as [H1 H2]. pose proof (same_set_ok _ _ H1) as So.
    assert (Od : Nat.odd (epoch node c) = true) by (unfold Nat.odd; rewrite Ep, Pe; auto).
    apply orb_true_iff in H2. destruct H2 as [H2|H2]; pose proof (same_set_ok _ _ H2) as Sn.
    + rewrite Eo in Sn. eexists. split; [apply (n_abandon node c Od)|]. cbn. split; [lia|]. intros a.
      specialize (So a). specialize (Sn a). tauto.
    + rewrite En in Sn. eexists. split; [apply (n_complete node c Od)|]. cbn. split; [lia|]. intros a.
      specialize (So a). specialize (Sn a). tauto.
Qed.
End Configured.
