(** [with_all_rules]: each step of the program of Exec.v, with every rule on, is a
    step of Members.v; so what it accepts is linearizable. *)
From Coq Require Import List Arith Lia Bool.
From Synod Require Import Ballot Model Safety History Linearizable Members MembersGuard MembersTheorem Chain Exec
    Checker.
Import ListNotations.

Section CheckerSound.
Variable M0 : list nat.
Variable conf : nat -> config nat.
Hypothesis conf_0 : conf 0 = first_ nat M0.
Hypothesis conf_next : forall n, next nat (conf n) (conf (n + 1)).
Variable chg_ : ballot -> nat -> nat.
Notation PM := (PM M0 conf conf_0 conf_next chg_).
Notation Rel := (Rel M0 conf conf_0 conf_next chg_).
Notation exec1 := (exec1 conf chg_ all_rules).
Notation exec := (exec conf chg_ all_rules).
Notation forget := (forget conf chg_).

Ltac split_ok := repeat match goal with
  | H : (_ && _)%bool = true |- _ => apply andb_true_iff in H; destruct H
  | H : (_ || false)%bool = true |- _ => rewrite orb_false_r in H end.
Ltac tidy := cbn in *; unfold add, upd, updn in *; intros; cbn in *;
  repeat match goal with H : _ \/ _ |- _ => destruct H as [H|H] end; try discriminate;
  try match goal with H : _ = _ :> prod _ _ |- _ => injection H; clear H; intros; subst end;
  try match goal with H : _ = _ :> msg |- _ => injection H; clear H; intros; subst end;
  try match goal with |- context [Nat.eq_dec ?a ?b] => destruct (Nat.eq_dec a b); subst end;
  auto; try congruence; eauto.
Ltac relate Q := destruct Q as [Qp Qa Qg Qf Qs Qs' Qm Qv Qr Qh Qk Qt Qj]; split; cbn in *.

Lemma inv_sound s x c : Rel s x -> zero << c -> existsb (inv_of c) (e_hist s) = false ->
  exists y, @mstep PM x y /\ Rel (Est (e_prom s) (e_acc s) (e_gone s) (e_props s) (e_proms s) (e_votes s) (e_reps s)
    (OInv c :: e_hist s) (e_K s) (e_told s) (e_joined s)) y.
Proof.
  intros Q Z N. destruct x as [[P A M h] K G F T J]. eexists; split; [apply (@m_inv PM); [exact Z|]|].
  - intros X. apply (inv_ok _ _ _ _ _ _ _ Q) in X. congruence.
  - relate Q; tidy.
Qed.
Lemma promise_sound s x a g (I : @mreachable PM x) : Rel s x ->
  (ep (e_prom s a) < ep g /\ g = fence (ep g) /\ openb conf s (ep g) = true \/ ep g = ep (e_prom s a) /\ e_prom s a
      << g) ->
  exists y, @mstep PM x y /\ Rel (Est (updn (e_prom s) a g) (e_acc s) (e_gone s) (e_props s)
    ((a, (g, (fst (e_acc s a), (snd (e_acc s a), answerb conf s a (ep g))))) :: e_proms s) (e_votes s) (e_reps s)
    (e_hist s) (e_K s) (e_told s) (e_joined s)) y.
Proof.
  intros Q D. pose proof (answerb_ok _ _ _ _ _ _ _ Q a (ep g)) as An.
  pose proof (fun O => openb_ok _ _ _ _ _ s x Q (ep g) O) as Op. pose proof (q_prom _ _ _ _ _ _ _ Q a) as Ep.
  destruct x as [[P A M h] K G F T J]. cbn in Ep, An, Op. eexists; split.
  - destruct D as [(L & E & O)|(E & L)].
    + pose proof (@m_install PM (St P A M h) K G F T J a (ep g)) as S. cbn -[fence] in S. rewrite <- E in S.
      rewrite Ep in S. apply S; auto.
    + pose proof (@m_promise PM (St P A M h) K G F T J a g) as S. cbn in S. rewrite Ep in S. apply S; auto.
  - relate Q; try (tidy; fail).
    + intros c v pv X. destruct (Qs _ _ _ X) as [p Y]. exists p. right. exact Y.
    + intros a' g' m v y [X|X]; [|right; auto]. injection X; intros; subst. left. rewrite Qa. cbn in An. rewrite <-
        An. auto.
Qed.
Lemma raise_sound s x a g : Rel s x -> ep g = ep (e_prom s a) -> e_prom s a <<= g ->
  exists y, @mstep PM x y /\ Rel (Est (updn (e_prom s) a g) (e_acc s) (e_gone s) (e_props s) (e_proms s) (e_votes s)
    (e_reps s) (e_hist s) (e_K s) (e_told s) (e_joined s)) y.
Proof.
  intros Q E L. pose proof (q_prom _ _ _ _ _ _ _ Q a) as Ep. destruct x as [[P A M h] K G F T J]. cbn in Ep.
  eexists; split; [apply (@m_raise PM) with (a := a) (g := g); cbn; rewrite Ep; auto|]. relate Q; tidy.
Qed.
Lemma propose_sound s x c p pv q (I : @mreachable PM x) : Rel s x -> existsb (inv_of c) (e_hist s) = true ->
  zero << c -> (forall v w, ~ In (c, (v, w)) (e_props s)) -> quorumb conf (ep c) q = true -> seesb conf s c p pv q =
      true ->
  exists y, @mstep PM x y /\ Rel (Est (e_prom s) (e_acc s) (e_gone s) ((c, (chg_ c pv, pv)) :: e_props s) (e_proms s)
    (e_votes s) (e_reps s) (e_hist s) (e_K s) (e_told s) (e_joined s)) y.
Proof.
  intros Q In_ Z N Hq Se. apply (inv_ok _ _ _ _ _ _ _ Q) in In_.
  apply (quorumb_ok M0 conf conf_0 conf_next chg_) in Hq. pose proof (seesb_ok _ _ _ _ _ _ _ Q I _ _ _ _ Se) as Se'.
  destruct (m_reachable _ I) as [RR Iv].
  destruct (@parent_exists PM x c p pv q Iv (safe_reachable _ RR) Z Hq Se') as (p' & v' & Par).
  destruct x as [[P A M h] K G F T J].
  eexists; split; [eapply (@m_propose PM) with (c := c) (p := p) (pv := pv) (q := q); eauto|].
  - intros w p0 pw X. apply (q_props' _ _ _ _ _ _ _ Q) in X. eapply N; eauto.
  - relate Q; try (tidy; fail).
    intros c0 v0 w0 [X|X]; [injection X; intros; subst; exists p'; left; auto|].
    destruct (Qs _ _ _ X) as [p0 Y]. exists p0; right; exact Y.
Qed.
Lemma vote_sound s x a c v : Rel s x -> existsb (fun x => beq (fst x) c && (fst (snd x) =? v)) (e_props s) = true ->
  memberb conf (ep c) a = true -> e_prom s a <<= c -> ep c = ep (e_prom s a) ->
  exists y, @mstep PM x y /\ Rel (Est (updn (e_prom s) a c) (updn (e_acc s) a (c, v)) (updn (e_gone s) a false)
      (e_props s)
    (e_proms s) ((a, (c, v)) :: e_votes s) (e_reps s) (e_hist s) (e_K s) (e_told s) (e_joined s)) y.
Proof.
  intros Q Ex Me L E. apply existsb_exists in Ex. destruct Ex as ([c' [v' pv]] & X & B). cbn in B.
  rewrite andb_true_iff, beq_ok, Nat.eqb_eq in B. destruct B as [-> ->].
  destruct (q_props _ _ _ _ _ _ _ Q _ _ _ X) as [p Pr]. pose proof (q_prom _ _ _ _ _ _ _ Q a) as Ep.
  apply (memberb_ok M0 conf conf_0 conf_next chg_) in Me.
  destruct x as [[P A M h] K G F T J]. cbn in Ep, Pr.
  eexists; split; [eapply (@m_vote PM) with (a := a) (c := c) (v := v) (p := p) (pv := pv); cbn; rewrite ?Ep; auto|].
  relate Q; try (tidy; fail).
  intros c0 v0 w0 Y. destruct (Qs _ _ _ Y) as [p0 Y']. exists p0; right; exact Y'.
Qed.
Lemma ack_sound s x c pv : Rel s x -> chosenb conf s c = true ->
  existsb (fun x => beq (fst x) c && (snd (snd x) =? pv)) (e_props s) = true ->
  exists y, @mstep PM x y /\ Rel (Est (e_prom s) (e_acc s) (e_gone s) (e_props s) (e_proms s) (e_votes s) (e_reps s)
    (OAck c pv :: e_hist s) (e_K s) (e_told s) (e_joined s)) y.
Proof.
  intros Q C Ex. apply existsb_exists in Ex. destruct Ex as ([c' [v' pv']] & X & B). cbn in B.
  rewrite andb_true_iff, beq_ok, Nat.eqb_eq in B. destruct B as [-> ->].
  destruct (q_props _ _ _ _ _ _ _ Q _ _ _ X) as [p Pr]. pose proof (chosenb_ok _ _ _ _ _ _ _ Q _ C) as Ch.
  destruct x as [[P A M h] K G F T J]. eexists; split; [eapply (@m_ack PM) with (c := c); eauto|]. relate Q; tidy.
Qed.
Lemma rinv_sound s x r : Rel s x -> existsb (rinv_of r) (e_hist s) = false ->
  exists y, @mstep PM x y /\ Rel (Est (e_prom s) (e_acc s) (e_gone s) (e_props s) (e_proms s) (e_votes s) (e_reps s)
    (ORInv r :: e_hist s) (e_K s) (e_told s) (e_joined s)) y.
Proof.
  intros Q N. destruct x as [[P A M h] K G F T J]. eexists; split; [apply (@m_rinv PM) with (r := r)|].
  - intros X. apply (rinv_ok _ _ _ _ _ _ _ Q) in X. congruence.
  - relate Q; tidy.
Qed.
Lemma reply_sound s x a r : Rel s x -> existsb (rinv_of r) (e_hist s) = true -> ep (e_prom s a) = fst r ->
  exists y, @mstep PM x y /\ Rel (Est (e_prom s) (e_acc s) (e_gone s) (e_props s) (e_proms s) (e_votes s)
    ((a, (r, (e_prom s a, (fst (e_acc s a), (snd (e_acc s a), answerb conf s a (fst r)))))) :: e_reps s)
    (e_hist s) (e_K s) (e_told s) (e_joined s)) y.
Proof.
  intros Q N E. pose proof (answerb_ok _ _ _ _ _ _ _ Q a (fst r)) as An. pose proof (q_prom _ _ _ _ _ _ _ Q a) as Ep.
  apply (rinv_ok _ _ _ _ _ _ _ Q) in N. destruct x as [[P A M h] K G F T J]. cbn in Ep, An.
  eexists; split; [apply (@m_reply PM) with (a := a) (r := r); [exact N|cbn; rewrite Ep; auto]|].
  relate Q; try (tidy; fail).
  - intros c v pv X. destruct (Qs _ _ _ X) as [p Y]. exists p. right. exact Y.
  - intros a' r' g' m v y [X|X]; [|right; auto]. injection X; intros; subst. left.
    rewrite Qa, Qp. cbn in An. rewrite <- An. auto.
Qed.
Lemma rack_sound s x r b v q (I : @mreachable PM x) : Rel s x -> existsb (rinv_of r) (e_hist s) = true ->
  existsb (rack_of r) (e_hist s) = false -> quorumb conf (fst r) q = true -> rseesb conf s r b v q = true ->
  exists y, @mstep PM x y /\ Rel (Est (e_prom s) (e_acc s) (e_gone s) (e_props s) (e_proms s) (e_votes s) (e_reps s)
    (ORAck r v :: e_hist s) (e_K s) (e_told s) (e_joined s)) y.
Proof.
  intros Q In_ N Hq Se. apply (rinv_ok _ _ _ _ _ _ _ Q) in In_.
  apply (quorumb_ok M0 conf conf_0 conf_next chg_) in Hq. pose proof (rseesb_ok _ _ _ _ _ _ _ Q I _ _ _ _ Se) as Se'.
  destruct (m_reachable _ I) as [RR Iv].
  destruct (@read_exists PM x r b v q Iv RR Hq Se') as (b' & w & Cov).
  assert (N' : forall b0 v0, ~ In (@RAck (@Reg PM) r b0 v0) (hist (co x))).
  { intros b0 v0 X. apply (rack_ok _ _ _ _ _ _ _ Q) in X. congruence. }
  destruct x as [[P A M h] K G F T J].
  eexists; split; [eapply (@m_rack PM) with (r := r) (b := b) (v := v) (q := q); eauto|]. relate Q; tidy.
Qed.
Lemma erase_sound s x a (I : @mreachable PM x) : Rel s x -> tombb conf s (fst (e_acc s a)) = true ->
  Nat.even (ep (fst (e_acc s a))) = true -> ep (e_prom s a) = ep (fst (e_acc s a)) ->
  exists y, @mstep PM x y /\ Rel (Est (e_prom s) (e_acc s) (updn (e_gone s) a true) (e_props s) (e_proms s) (e_votes s)
    (e_reps s) (e_hist s) (e_K s) (e_told s) (e_joined s)) y.
Proof.
  intros Q Tb Ev E. pose proof (q_prom _ _ _ _ _ _ _ Q a) as Ep. pose proof (q_acc _ _ _ _ _ _ _ Q a) as Ea.
  pose proof (safe_reachable _ (proj1 (m_reachable _ I))) as Sf.
  assert (Vv : valof (co x) (fst (acc (co x) a)) (snd (acc (co x) a))).
  { destruct (i_accv _ Sf a) as [X|X]; [rewrite X; left; auto|].
    destruct (i_vote _ Sf _ _ _ X) as (_ & p & pv & Pr). right; eauto. }
  rewrite <- Ea in *. pose proof (tombb_ok _ _ _ _ _ _ _ Q I _ _ Tb Vv) as Tt.
  destruct x as [[P A M h] K G F T J]. cbn in *.
  eexists; split; [apply (@m_erase PM) with (a := a); cbn; [exact Tt|auto|rewrite Ep; auto]|].
  relate Q; try (tidy; fail). intros a'. unfold upd; cbn. destruct (Nat.eq_dec a a'); [rewrite Qf; auto|auto].
Qed.
Lemma tell_sound s x a : Rel s x ->
  exists y, @mstep PM x y /\ Rel (Est (e_prom s) (e_acc s) (e_gone s) (e_props s) (e_proms s) (e_votes s) (e_reps s)
    (e_hist s) (e_K s) ((a, ep (e_prom s a)) :: e_told s) (e_joined s)) y.
Proof.
  intros Q. pose proof (q_prom _ _ _ _ _ _ _ Q a) as Ep. destruct x as [[P A M h] K G F T J]. cbn in Ep.
  eexists; split; [apply (@m_tell PM) with (a := a); reflexivity|]. relate Q; try (tidy; fail).
  intros a' l [X|X]; [injection X; intros; subst; left; rewrite Ep; auto|right; auto].
Qed.
Lemma join_sound s x a l q : Rel s x -> majb (old_ nat conf l) q = true ->
  forallb (fun a' => existsb (fun x => (fst x =? a') && (snd x =? l)) (e_told s)) q = true ->
  exists y, @mstep PM x y /\ Rel (Est (e_prom s) (e_acc s) (e_gone s) (e_props s) (e_proms s) (e_votes s) (e_reps s)
    (e_hist s) (e_K s) (e_told s) ((a, l) :: e_joined s)) y.
Proof.
  intros Q Mj All. apply majb_ok in Mj. rewrite forallb_forall in All.
  pose proof (q_told _ _ _ _ _ _ _ Q) as Td. pose proof (q_fl _ _ _ _ _ _ _ Q a) as Fa.
  destruct x as [[P A M h] K G F T J]. cbn in Td, Fa.
  eexists; split; [apply (@m_join PM) with (a := a) (l := l) (q := fun a => In a q); [exact Mj|]|].
  - intros a' X. specialize (All a' X). apply existsb_exists in All. destruct All as ([a2 l2] & Y & B). cbn in B.
    rewrite andb_true_iff, !Nat.eqb_eq in B. destruct B as [-> ->]. exists 0. split; auto. rewrite Fa; auto.
  - relate Q; try (tidy; fail).
Qed.
Lemma settle_sound s x l f : Rel s x -> mem l (e_K s) = false -> ep f = l -> 0 < l -> chosenb conf s f = true ->
  exists y, @mstep PM x y /\ Rel (Est (e_prom s) (e_acc s) (e_gone s) (e_props s) (e_proms s) (e_votes s) (e_reps s)
    (e_hist s) (l :: e_K s) (e_told s) (e_joined s)) y.
Proof.
  intros Q N E L C. pose proof (chosenb_ok _ _ _ _ _ _ _ Q _ C) as Ch.
  assert (Nk : ~ K x l) by (intros X; apply (q_K _ _ _ _ _ _ _ Q) in X; apply mem_ok in X; congruence).
  destruct x as [[P A M h] K G F T J].
  eexists; split; [apply (@m_settle_value PM) with (l := l) (f := f); auto|].
  relate Q; try (tidy; fail). intros l'. rewrite Qk. split; intros [?|?]; auto.
Qed.
Lemma absent_sound s x l (r : nat * nat) q q2 (I : @mreachable PM x) : Rel s x -> mem l (e_K s) = false -> Nat.odd l
    = true ->
  fst r = l -> majb (old_ nat conf l) q = true ->
  forallb (fun a => has_rep s a r (fun m w y => negb (isnone y))) q = true -> majb (surv_ nat conf l) q2 = true ->
  forallb (fun a => existsb (fun x => (fst x =? a) && (snd x =? l)) (e_joined s)) q2 = true ->
  exists y, @mstep PM x y /\ Rel (Est (e_prom s) (e_acc s) (e_gone s) (e_props s) (e_proms s) (e_votes s) (e_reps s)
    (e_hist s) (l :: e_K s) (e_told s) (e_joined s)) y.
Proof.
  intros Q N Od E Mj All Mj2 All2. apply majb_ok in Mj, Mj2. rewrite forallb_forall in All, All2.
  assert (Nk : ~ K x l) by (intros X; apply (q_K _ _ _ _ _ _ _ Q) in X; apply mem_ok in X; congruence).
  assert (R1 : forall a, In a q -> exists g m v f, msgs (co x) (@Reply (@Reg PM) a r g m v (Some f))).
  { intros a X. destruct (has_rep_ok _ _ _ _ _ _ _ Q _ _ _ (All a X)) as (g & m & v & y & Y & Z).
    destruct y as [f|]; [eauto|discriminate]. }
  assert (R2 : forall a, In a q2 -> joined x a l).
  { intros a X. specialize (All2 a X). apply existsb_exists in All2. destruct All2 as ([a2 l2] & Y & B). cbn in B.
    rewrite andb_true_iff, !Nat.eqb_eq in B. destruct B as [-> ->]. apply (q_joined _ _ _ _ _ _ _ Q); auto. }
  destruct x as [[P A M h] K G F T J].
  eexists; split; [apply (@m_settle_absent PM) with (l := l) (r := r) (q := q) (q2 := fun a => In a q2); auto|].
  relate Q; try (tidy; fail). intros l'. rewrite Qk. split; intros [?|?]; auto.
Qed.
End CheckerSound.
