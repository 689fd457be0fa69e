(** What "accepted" means: [accepted_is_a_run].  A trace of one register that
    Check.v takes in is a run of the model of Members.v, over the cells of
    Cell.v and the chain of configurations that the trace tells.  So

    - [accepted_linearizable]: its clients saw one register;
    - [accepted_revisions]: two different changes that were acknowledged bear
      different revisions;
    - [accepted_applied], [accepted_stays]: what was acknowledged stands in
      everything that is proposed above it, and who was told anything was told
      what the fold made of the cell ([told_right]);
    - every other theorem of Once.v and MembersTheorem.v holds of it as well,
      under that theorem's own hypotheses.

    The fold of a ballot is what its propose line says ([folds_of]). *)
From Coq Require Import NArith PArith List Bool Lia Arith FMapPositive.
From Synod Require Import Ballot Model Safety History Linearizable Cell Once Members MembersTheorem Chain.
From Trace Require Import Numbers Chains Check Sound SoundReads.
Import ListNotations.

Definition proposes (b : ballot) e := match e with EPropose c _ _ _ _ => beq (B c) b | _ => false end.
Definition folds_of (l : list event_) (b : ballot) : list (@request numbers) := match find (proposes b) l with
  | Some (EPropose _ _ _ qs _) => map request_of qs | _ => [] end.

(** ** A ballot is proposed once *)
Definition keeps (r : res) s := match r with
  | Ok s' _ => forall c, above (t_last s) c = false -> above (t_last s') c = false | No _ => True end.
Definition same (r : res) s := match r with Ok s' _ => t_last s' = t_last s | No _ => True end.
Lemma same_keeps r s : same r s -> keeps r s.
Proof. destruct r; cbn; auto. intros ->; auto. Qed.
Lemma same_need b r k s : same k s -> same (need b r k) s.
Proof. unfold need. destruct b; cbn; auto. Qed.
Lemma same_vote v s a c : same (vote v s a c) s.
Proof.
  unfold vote. apply same_need. destruct (_ && _); [cbn; auto|]. destruct (pfind c (t_props s)); [|cbn; auto].
  destruct (at_ v (nep c)); [|cbn; auto]. repeat apply same_need. cbn; auto.
Qed.
Lemma last_promise_if v s a g : t_last (promise_if v s a g) = t_last s.
Proof. unfold promise_if. destruct (at_ v _); auto. destruct (_ && _)%bool; auto. Qed.
Lemma last_catch_up v s a m : t_last (catch_up v s a m) = t_last s.
Proof.
  unfold catch_up. destruct (_ || _); auto. pose proof (same_vote v s a m) as S. destruct (vote v s a m); auto.
  rewrite last_promise_if. auto.
Qed.
Lemma last_floored fc p s a f : t_last (floored fc p s a f) = t_last s.
Proof. unfold floored. destruct (answer fc p a); auto. Qed.
Lemma last_prune v s : t_last (prune v s) = t_last s.
Proof. unfold prune. destruct (_ <=? _)%N; auto. Qed.
Lemma last_listing s e : t_last (fst (fst (listing s e))) = t_last s.
Proof. unfold listing. destruct (t_list s) as [d|]; auto. destruct (_ =? _)%N; auto. Qed.
Lemma last_opened v s l s' : opened_ v s l = Some s' -> t_last s' = t_last s.
Proof.
  unfold opened_, settle_absent. destruct (_ || _)%bool; [congruence|].
  destruct (N.odd l && voted v s l)%bool; [intros X; injection X; intros <-; auto|].
  destruct (t_list s); [|discriminate]. destruct (at_ v l); [|discriminate]. destruct (at_ v (l + 1)); [|discriminate].
  destruct (_ && _)%bool; [|discriminate]. intros X; injection X; intros <-. auto.
Qed.
Lemma check_keeps v s e : keeps (check v s e) s.
Proof.
  destruct e; cbn [check]; match goal with |- keeps (propose _ _ _ _ _ _ _) _ => idtac | _ => apply same_keeps end.
  - unfold install. destruct (_ =? e)%N; [cbn; auto|]. apply same_need. destruct (at_ v e); [|cbn; auto].
    destruct (opened_ v s (fc_lo f)) eqn:O; [|cbn; auto]. apply last_opened in O. cbn. auto.
  - unfold tell. apply same_need. cbn. auto.
  - unfold join. apply same_need. destruct (at_ v l); [|cbn; auto]. apply same_need. cbn. auto.
  - unfold unlisted. apply same_need. destruct (at_ v _); [|cbn; auto]. destruct (answer _ _ _); [|cbn; auto].
    apply same_need. pose proof (last_listing (raise s a f) (nep (p_prom (slot_of s a)))) as L.
    destruct (listing _ _) as [[s2 o] d]. cbn in *. auto.
  - unfold promise. repeat apply same_need. destruct (at_ v _); [|cbn; auto]. destruct (agrees _ _ _ _ _); cbn; auto.
    rewrite last_floored, last_catch_up. auto.
  - unfold prepare. apply same_need. destruct (PM.find _ _) as [[g l]|]; [|cbn; auto].
    destruct (nbeq g c); [cbn; auto|]. apply same_need. cbn. auto.
  - unfold propose, need. destruct (above (t_last s) c) eqn:Ab; [|cbn; auto]. destruct (nblt nzero c); [|cbn; auto].
    destruct (PM.find _ _) as [[g l]|]; [|cbn; auto]. destruct (at_ v _); [|cbn; auto].
    destruct (nbeq g c); [|cbn; auto]. destruct (quorumb _ _); [|cbn; auto].
    destruct (if nbeq p nzero then _ else _); [|cbn; auto]. destruct (nrun qs n) as [d told].
    destruct (cell_eqb _ _); [|cbn; auto].
    cbn. intros c' D. apply above_add; auto.
  - pose proof (same_vote v s a c) as S. destruct (vote v s a c) as [s1 o|]; cbn; auto. rewrite last_promise_if. auto.
  - unfold ack. destruct (pfind _ _); [|cbn; auto]. destruct (at_ v _); [|cbn; auto]. repeat apply same_need. cbn.
    rewrite last_prune. destruct (_ && _)%bool; auto.
  - cbn. auto.
  - unfold reply. destruct (PM.find _ _); [|cbn; auto]. destruct (negb _); [cbn; auto|]. repeat apply same_need.
    destruct (at_ v _); [|cbn; auto]. destruct (agrees _ _ _ _ _); cbn; auto. rewrite last_floored, last_catch_up. auto.
  - unfold returned. destruct (PM.find _ _); [|cbn; auto]. apply same_need. destruct (at_ v _); [|cbn; auto].
    repeat apply same_need. destruct (if nbeq b nzero then _ else _); [|cbn; auto]. apply same_need. cbn. auto.
  - unfold erase. repeat apply same_need. destruct (p_gone _); [cbn; auto|]. destruct (pfind _ _); [|cbn; auto].
    destruct (at_ v _); [|cbn; auto]. repeat apply same_need. cbn. auto.
  - unfold damaged. apply same_need. cbn. auto.
Qed.
Lemma proposed_fresh v s o l s' o' c p r qs cell : checks v s o l = Ok s' o' ->
  In (EPropose c p r qs cell) l -> above (t_last s) c = true.
Proof.
  revert s o; induction l as [|e l IH]; intros s o E J; [destruct J|]. cbn in E.
  pose proof (check_keeps v s e) as Kp. destruct (check v s e) as [s1 o1|] eqn:Ce; [|discriminate].
  destruct J as [->|J].
  - cbn [check] in Ce. unfold propose, need in Ce. destruct (above (t_last s) c); auto; discriminate.
  - specialize (IH _ _ E J). cbn in Kp. destruct (above (t_last s) c) eqn:Ab; auto. rewrite Kp in IH; auto.
Qed.
Lemma folds_ok v s o l s' o' c p r qs cell : checks v s o l = Ok s' o' -> In (EPropose c p r qs cell) l ->
  folds_of l (B c) = map request_of qs.
Proof.
  unfold folds_of. revert s o; induction l as [|e l IH]; intros s o E J; [destruct J|]. cbn in E |- *.
  destruct (check v s e) as [s1 o1|] eqn:Ce; [|discriminate].
  destruct (proposes (B c) e) eqn:Pe.
  - destruct e; try discriminate Pe. apply beq_ok, B_inj in Pe. subst c0.
    destruct J as [J|J]; [congruence|]. exfalso.
    assert (Ab : above (t_last s1) c = false).
    { cbn [check] in Ce. unfold propose, need in Ce. destruct (above (t_last s) c) eqn:Ab; [|discriminate].
      destruct (nblt nzero c); [|discriminate]. destruct (PM.find _ _) as [[g l0]|]; [|discriminate].
      destruct (at_ v _); [|discriminate]. destruct (nbeq g c); [|discriminate].
      destruct (quorumb _ _); [|discriminate]. destruct (if nbeq p0 nzero then _ else _); [|discriminate].
      destruct (nrun qs0 n) as [d told]. destruct (cell_eqb _ _); [|discriminate]. injection Ce; intros; subst. cbn. apply above_add; auto. }
    pose proof (proposed_fresh _ _ _ _ _ _ _ _ _ _ _ E J). congruence.
  - destruct J as [->|J]; [|eauto]. cbn in Pe. rewrite (proj2 (beq_ok _ _) eq_refl) in Pe. discriminate.
Qed.

(** ** The theorems *)
Section Accepted.
Variable M0 : list node.                         (* the first members                     *)
Variable chs : list change_.                     (* the changes of membership, in order   *)
Variable v : env.
Hypothesis env_is : env_of M0 chs = Some v.
Variable l : list event_.                        (* the events of one register            *)
Variables (s : st) (o : list out).
Hypothesis accepted : checks v st0 [] l = Ok s o.
Notation model := (MI M0 chs (folds_of l)).

Lemma rel_start : Rel M0 chs (folds_of l) st0 (M_ s0 (fun _ => False) (fun _ => false) (fun _ => 0)
  (fun _ _ _ => False) (fun _ _ => False)) [].
Proof.
  split; cbn; intros; try contradiction; auto;
    try (unfold slot_of; rewrite PM.gempty; reflexivity);
    try discriminate;
    try match goal with H : PM.find _ (PM.empty _) = Some _ |- _ => rewrite PM.gempty in H; discriminate H end.
  split; intros [].
Qed.
Theorem accepted_is_a_run : exists x : @mst model, mreachable x /\ Forall2 (lifts M0 chs (folds_of l)) o (hist (co x)).
Proof.
  assert (Ag : forall e, In e l -> agrees_with (folds_of l) e).
  { intros e J. destruct e; cbn; auto. eapply folds_ok; eauto. }
  assert (G : forall l' s1 o1 x, (forall e, In e l' -> agrees_with (folds_of l) e) -> Rel M0 chs (folds_of l) s1 x o1 ->
    mreachable x -> checks v s1 o1 l' = Ok s o -> exists y : @mst model, mreachable y /\
      Forall2 (lifts M0 chs (folds_of l)) o (hist (co y))).
  { induction l' as [|e l' IH]; intros s1 o1 x A Q R E; cbn in E.
    - injection E; intros; subst. exists x. split; auto. apply (q_hist _ _ _ _ _ _ Q).
    - pose proof (sound_check M0 chs v env_is (folds_of l) s1 e (A e (or_introl eq_refl))) as S.
      destruct (check v s1 e) as [s2 o2|]; [|discriminate]. destruct (S x o1 Q R) as (y & Ry & Qy).
      eapply IH; eauto. intros e' J. apply A; right; auto. }
  eapply G; eauto using rel_start. constructor.
Qed.

Theorem accepted_linearizable : exists h : list (@event (@Reg model)),
  Forall2 (lifts M0 chs (folds_of l)) o h /\ linearizable h.
Proof.
  destruct accepted_is_a_run as (x & R & H). exists (hist (co x)). split; auto. apply members_linearizable; auto.
Qed.

(** whoever is told anything is told what the fold made of the cell it was applied to *)
Lemma lift_ack (x : @mst model) c pv vs : Forall2 (lifts M0 chs (folds_of l)) o (hist (co x)) -> In (NAck c pv vs) o ->
  In (@Ack (@Reg model) (B c) (cell_of pv)) (hist (co x)) /\ told_right (folds_of l) (B c) pv vs.
Proof.
  clear accepted. induction 1 as [|o1 e1 os h L F IH]; intros J; [destruct J|].
  destruct J as [->|J]; [|destruct (IH J); cbn; auto].
  destruct e1; cbn in L; try contradiction. destruct L as (-> & -> & T). cbn; auto.
Qed.
(** who was told "applied at revision r" finds it in everything that is ever proposed above; who was told
    "repeated" likewise *)
Theorem accepted_applied c pv vs n q r e : In (NAck c pv vs) o ->
  nth_error (folds_of l (B c)) n = Some q -> nth_error vs n = Some (NApplied r e) \/ nth_error vs n = Some (NReplayed r e)
  -> exists x : @mst model, mreachable x /\ Forall2 (lifts M0 chs (folds_of l)) o (hist (co x)) /\
       @stands (chain_cells node Pos.eq_dec (conf M0 chs) numbers (nat * nat) (folds_of l)) (co x) (B c)
         (N.to_nat r, (id q, e)).
Proof.
  intros A Q V. destruct accepted_is_a_run as (x & R & H). destruct (lift_ack _ _ _ _ H A) as [K T].
  exists x. split; [auto|split; [auto|]]. destruct (m_reachable _ R) as [RR _].
  assert (Td : forall w, nth_error vs n = Some w -> nth_error (snd (run (folds_of l (B c)) (cell_of pv))) n =
    Some (verdict_of w)) by (intros w E; rewrite T; apply map_nth_error; auto).
  destruct V as [V|V]; apply Td in V.
  - exact (@applied_is_true (chain_cells node Pos.eq_dec (conf M0 chs) numbers (nat * nat) (folds_of l)) (co x) (B c)
      (cell_of pv) n q (N.to_nat r) e RR K (conj Q V)).
  - exact (@replayed_is_true (chain_cells node Pos.eq_dec (conf M0 chs) numbers (nat * nat) (folds_of l)) (co x) (B c)
      (cell_of pv) n q (N.to_nat r) e RR K (conj Q V)).
Qed.
(** two different changes that were acknowledged bear different revisions *)
Definition applied c pv r i := exists e, In (r, (i, e)) (@placed numbers (folds_of l (B c)) (cell_of pv)).
Theorem accepted_revisions c pv vs c' pv' vs' r i i' : In (NAck c pv vs) o -> In (NAck c' pv' vs') o ->
  applied c pv r i -> applied c' pv' r i' -> c = c' /\ i = i'.
Proof.
  destruct accepted_is_a_run as (x & R & H). intros A A' [e P] [e' P'].
  destruct (whole_revisions node Pos.eq_dec M0 (conf M0 chs) (conf_0 M0 chs) (conf_next M0 chs) numbers (nat * nat)
    fst (folds_of l) x (B c) (cell_of pv) (B c') (cell_of pv') r (i, e) (i', e') R (proj1 (lift_ack _ _ _ _ H A))
    (proj1 (lift_ack _ _ _ _ H A')) P P') as [E1 E2].
  split; [apply B_inj; auto|congruence].
Qed.
(** what was acknowledged is an ancestor of all that is proposed above it *)
Theorem accepted_stays c pv vs : In (NAck c pv vs) o -> exists x : @mst model, mreachable x /\
  Forall2 (lifts M0 chs (folds_of l)) o (hist (co x)) /\
  forall b, known (co x) b -> B c <<= b -> anc (co x) (B c) b.
Proof.
  destruct accepted_is_a_run as (x & R & H). intros A. exists x. split; [auto|split; [auto|]]. intros b Kb L.
  apply no_lost_register; auto. destruct (m_reachable _ R) as [RR _].
  apply (h_ack _ (hist_reachable _ RR) _ _ (proj1 (lift_ack _ _ _ _ H A))).
Qed.
End Accepted.
