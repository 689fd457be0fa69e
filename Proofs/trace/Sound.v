(** Each event that Check.v takes in is a step, or some steps, of Members.v.

    How to read it.  [Rel s x h]: what the checker remembers in [s] is so in the
    model's state [x], and [h] is the clients' history.  [Sound r s h] says of a
    result: if it goes on, the model can go on likewise.  One lemma for each thing
    that the checker does; Accepted.v puts them together. *)
From Coq Require Import NArith PArith List Bool Lia Arith FMapPositive.
From Synod Require Import Ballot Model Safety History Linearizable Cell Once Members MembersGuard MembersTheorem Chain.
From Trace Require Import Numbers Chains Check.
Import ListNotations.

#[global] Arguments PM.find : simpl never.
#[global] Arguments PM.add : simpl never.
#[global] Arguments PM.remove : simpl never.
Definition rid (r : N * N) : nat * nat := (N.to_nat (fst r), N.to_nat (snd r)).

Lemma slot_put m a p a' : match PM.find a' (PM.add a p m) with Some q => q | None => slot0 end =
  if Pos.eq_dec a a' then p else match PM.find a' m with Some q => q | None => slot0 end.
Proof. destruct (Pos.eq_dec a a') as [->|N]; [rewrite PM.gss|rewrite PM.gso by auto]; auto. Qed.

Ltac pieces Q := destruct Q as [Qp Qa Qg Qf Qs Ql Qi Qm Qr Qd Qt Qn Qk Qo Qj Qh]; split; cbn in *.
(** what a new message, or none, leaves as it was *)
Ltac keep_props X := let F := fresh in let Y := fresh in let Z := fresh in let p := fresh in let J := fresh in
  let T := fresh in
  intros ? ? F; destruct (X _ _ F) as [[[p Y] T] Z]; split;
  [split; [exists p; auto|auto]|intros ? J; let u := fresh in let W := fresh in destruct (Z _ J) as [u W]; exists u; auto].
Ltac keep_given X := let g := fresh in let E := fresh in let Z := fresh in let J := fresh in
  intros ? ? ? ? J; destruct (X _ _ _ _ J) as (g & E & Z); exists g; split; [exact E|cbn; auto].
Ltac keep_proms X := let F := fresh in let Y := fresh in
  intros ? ? ? F; pose proof (X _ _ _ F) as Y; keep_given Y.
Ltac keep_inv X := let J := fresh in let w := fresh in let p := fresh in let u := fresh in let Y := fresh in
  intros ? J; destruct (X _ J) as (w & p & u & Y); exists w, p, u; auto.
Ltac keep_last X := let J := fresh in
  intros ? ? ? ? J; try (destruct J as [J|J]; [discriminate J|]); eapply X; exact J.
Ltac keep_reads Qr := let A := fresh in let X := fresh in let Y := fresh in let F := fresh in
  intros ? ? F; destruct (Qr _ _ F) as (A & X & Y); split; [auto|split; [auto|keep_given Y]].
Ltac keep_list Qt := let A := fresh in let X := fresh in let Y := fresh in let F := fresh in let J := fresh in
  let g := fresh in let m := fresh in let w := fresh in let f := fresh in
  intros ? F; destruct (Qt _ F) as (A & X); split; [auto|];
  intros ? J; destruct (X _ J) as (g & m & w & f & Y); exists g, m, w, f; auto.
Ltac at_slots := unfold slot_of, put, upd; cbn; intros; rewrite slot_put;
  match goal with |- context [Pos.eq_dec ?a ?b] => destruct (Pos.eq_dec a b); subst end; auto; try congruence.
Ltac keep Q := pieces Q; unfold add in *;
  try match goal with
  | |- forall a, _ = B _ => first [assumption|at_slots]
  | |- forall a, _ = (_, _) => first [assumption|at_slots]
  | |- forall a, _ = p_gone _ => first [assumption|at_slots]
  | |- forall a, _ = N.to_nat _ => first [assumption|at_slots] end;
  try assumption;
  try match goal with
  | X : forall c p, pfind c _ = Some p -> _ |- forall c p, pfind c _ = Some p -> _ => solve [keep_props X]
  | X : forall c w par pw, _ -> above _ c = false |- forall c w par pw, _ -> above _ c = false => solve [keep_last X]
  | X : forall c, In (Inv c) _ -> _ |- forall c, In (Inv c) _ -> _ => solve [keep_inv X]
  | X : forall k c l, PM.find k _ = Some (c, l) -> _ |- forall k c l, PM.find k _ = Some (c, l) -> _ => solve [keep_proms X]
  | X : forall n d, PM.find n _ = Some d -> _ |- forall n d, PM.find n _ = Some d -> _ => solve [keep_reads X]
  | X : forall d, _ = Some d -> _ |- forall d, _ = Some d -> _ => solve [keep_list X] end;
  try (solve [eauto]).

Lemma pset_ok c p l c' p' : pfind c' (pset c p l) = Some p' -> (c' = c /\ p' = p) \/ pfind c' l = Some p'.
Proof.
  induction l as [|[c1 p1] l IH]; cbn; [discriminate|]. destruct (nbeq c c1) eqn:E; cbn.
  - apply nbeq_ok in E. subst c1. destruct (nbeq c' c) eqn:E'; auto. apply nbeq_ok in E'.
    intros X; injection X; intros <-. auto.
  - destruct (nbeq c' c1); auto.
Qed.
Section Sound.
Variable M0 : list node.
Variable chs : list change_.
Variable v : env.
Hypothesis env_is : env_of M0 chs = Some v.
Variable folds : ballot -> list (@request numbers).
Notation cf := (conf M0 chs).
Definition MI : Membership := chain_membership node Pos.eq_dec M0 cf (conf_0 M0 chs) (conf_next M0 chs)
  numbers (nat * nat)%type fst folds.
#[local] Existing Instance MI.
Notation state := (@mst MI).

Definition told_right (c : ballot) pv vs := snd (run (folds c) (cell_of pv)) = map verdict_of vs.
Definition lifts (o : out) (e : @event (@Reg MI)) : Prop := match o, e with
  | NInv c, Inv c' => c' = B c
  | NAck c pv vs, Ack c' pv' => c' = B c /\ pv' = cell_of pv /\ told_right (B c) pv vs
  | NRInv r, RInv r' => r' = rid r
  | NRAck r w, RAck r' _ w' => r' = rid r /\ w' = cell_of w
  | _, _ => False end.

(** the answers of [l] were given, in messages of the shape [m] *)
Definition given (x : state) (m : node -> ballot -> cell -> option nat -> msg -> Prop) (l : list answer_) :=
  forall a b w y, In (a, (b, (w, y))) l ->
    exists g, m a (B b) (cell_of w) (option_map N.to_nat y) g /\ msgs (co x) g.
Definition a_promise (c : ballot) a b w y (g : @msg (@Reg MI)) := g = Promise a c b w y.
Definition a_reply (r : nat * nat) a b w y (g : @msg (@Reg MI)) := exists p, g = Reply a r p b w y.

Record Rel (s : st) (x : state) (h : list out) : Prop := {
  q_prom : forall a, prom (co x) a = B (p_prom (slot_of s a));
  q_acc : forall a, acc (co x) a = (B (p_acc (slot_of s a)), cell_of (p_cell (slot_of s a)));
  q_gone : forall a, gone x a = p_gone (slot_of s a);
  q_fl : forall a, fl x a = N.to_nat (p_fl (slot_of s a));
  q_props : forall c p, pfind c (t_props s) = Some p ->
    ((exists par, msgs (co x) (Propose (B c) (cell_of (b_cell p)) par (cell_of (b_base p)))) /\
     told_right (B c) (b_base p) (b_told p)) /\
    forall a, In a (b_voters p) -> exists w, msgs (co x) (Vote a (B c) w);
  q_last : forall c w par pw, msgs (co x) (Propose (B c) w par pw) -> above (t_last s) c = false;
  q_inv : forall c, In (Inv c) (hist (co x)) -> exists w par pw, msgs (co x) (Propose c w par pw);
  q_proms : forall k c l, PM.find k (t_proms s) = Some (c, l) -> given x (a_promise (B c)) l;
  q_reads : forall n d, PM.find n (t_reads s) = Some d ->
    In (RInv (rid (d_id d))) (hist (co x)) /\ (forall b w, ~ In (RAck (rid (d_id d)) b w) (hist (co x))) /\
    given x (a_reply (rid (d_id d))) (d_reps d);
  q_apart : forall n d n' d', PM.find n (t_reads s) = Some d -> PM.find n' (t_reads s) = Some d' ->
    snd (d_id d) = snd (d_id d') -> n = n';
  q_list : forall d, t_list s = Some d -> In (RInv (rid (d_id d))) (hist (co x)) /\
    forall a, In a (map fst (d_reps d)) -> exists g m w f, msgs (co x) (Reply a (rid (d_id d)) g m w (Some f));
  q_next : forall r, In (RInv r) (hist (co x)) -> snd r < N.to_nat (t_next s);
  q_K : forall l, K x (N.to_nat l) <-> In l (t_K s);
  q_told : forall a l f, In (a, (l, f)) (t_told s) -> told x a (N.to_nat l) (N.to_nat f);
  q_joined : forall a l, In (a, l) (t_joined s) -> joined x a (N.to_nat l);
  q_hist : Forall2 lifts h (hist (co x)) }.

Definition Sound (r : res) (s : st) := match r with
  | No _ => True
  | Ok s' o => forall x h, Rel s x h -> mreachable x -> exists y, mreachable y /\ Rel s' y (o ++ h) end.

Lemma sound_same s : Sound (Ok s []) s.
Proof. intros x h Q R. exists x; auto. Qed.
Lemma sound_then r f s : Sound r s -> (forall s' o, r = Ok s' o -> Sound (f s') s') -> Sound (andthen r f) s.
Proof.
  intros S F. destruct r as [s1 o|]; cbn; auto. specialize (F s1 o eq_refl).
  destruct (f s1) as [s2 o'|]; cbn in *; auto. intros x h Q R.
  destruct (S x h Q R) as (y & Ry & Qy). destruct (F y _ Qy Ry) as (z & Rz & Qz).
  exists z; split; auto. rewrite <- app_assoc; auto.
Qed.
Lemma sound_need b r k s : (b = true -> Sound k s) -> Sound (need b r k) s.
Proof. unfold need. destruct b; cbn; auto. Qed.
Lemma sound_after s1 o1 s2 o2 s : Sound (Ok s1 o1) s -> Sound (Ok s2 o2) s1 -> Sound (Ok s2 (o2 ++ o1)) s.
Proof.
  intros A1 A2 x h Q R. destruct (A1 x h Q R) as (y & Ry & Qy). destruct (A2 y _ Qy Ry) as (z & Rz & Qz).
  exists z; split; auto. rewrite <- app_assoc; auto.
Qed.
Lemma sound_after0 s1 s2 o2 s : Sound (Ok s1 []) s -> Sound (Ok s2 o2) s1 -> Sound (Ok s2 o2) s.
Proof. intros A1 A2. rewrite <- (app_nil_r o2). eapply sound_after; eauto. Qed.

(** ** Slots, members, quorums *)
Lemma memb_ok e fc a : at_ v e = Some fc -> memberb fc a = true -> @member MI (N.to_nat e) a.
Proof.
  intros E. destruct (env_ok _ _ _ env_is _ _ E) as (_ & Eo & En & _). unfold memberb. rewrite orb_true_iff, !memp_ok.
  unfold member; cbn. rewrite Eo, En. auto.
Qed.
Lemma maj_ok S q : NoDup S -> majb S q = true -> Maj_ node S (fun a => In a q).
Proof.
  intros D. unfold majb. rewrite Nat.ltb_lt. intros L. exists (filter (fun a => memp a q) S).
  split; [apply NoDup_filter; auto|split; auto]. intros a J. apply filter_In in J. rewrite memp_ok in J. tauto.
Qed.
Lemma quorum_ok e fc q : at_ v e = Some fc -> quorumb fc q = true -> @quorum MI (N.to_nat e) (fun a => In a q).
Proof.
  intros E. destruct (env_ok _ _ _ env_is _ _ E) as (_ & Eo & En & _ & _ & Do & Dn). unfold quorumb.
  rewrite andb_true_iff. intros [Q1 Q2]. split; cbn; [rewrite <- Eo|rewrite <- En]; apply maj_ok; auto.
Qed.
Lemma surv_ok e q : survb v e q = true -> @Q (@Reg MI) (N.to_nat e, (0, 0)) (fun a => In a q).
Proof.
  unfold survb. destruct (at_ v (e + 1)) as [fc|] eqn:E.
  - destruct (env_ok _ _ _ env_is _ _ E) as (_ & Eo & _ & _ & _ & Do & _). intros Mj.
    apply (maj_ok _ _ Do) in Mj. rewrite Eo in Mj. cbn. unfold surv_, old_ in *.
    replace (N.to_nat e + 1) with (N.to_nat (e + 1)) by lia. exact Mj.
  - destruct (at_ v e) as [fc|] eqn:E'; [|discriminate]. intros Qb.
    pose proof (quorum_ok _ _ _ E' Qb) as X. apply quorum_of_surv in X. exact X.
Qed.
Lemma answer_ok s x h fc e a : Rel s x h -> at_ v e = Some fc ->
  @Members.answer MI (co x) (gone x) (fl x) a (N.to_nat e) = option_map N.to_nat (answer fc (slot_of s a) a).
Proof.
  intros Q E. destruct (env_ok _ _ _ env_is _ _ E) as (_ & _ & _ & _ & Es & _).
  unfold Members.answer, answer. rewrite (q_acc _ _ _ Q a), (q_gone _ _ _ Q a), (q_fl _ _ _ Q a). cbn [fst snd].
  assert (E1 : beq (B (p_acc (slot_of s a))) zero = nbeq (p_acc (slot_of s a)) nzero).
  { destruct (nbeq (p_acc (slot_of s a)) nzero) eqn:Z.
    - apply nbeq_ok in Z. rewrite Z. apply beq_ok; auto.
    - apply nbeq_not in Z. destruct (beq (B (p_acc (slot_of s a))) zero) eqn:Y; auto. apply beq_ok in Y. tauto. }
  assert (E2 : (ep (B (p_acc (slot_of s a))) <? since a (N.to_nat e)) = (nep (p_acc (slot_of s a)) <? fsince fc a)%N).
  { cbn [since MI chain_membership]. rewrite <- Es, B_ep.
    destruct (N.ltb_spec (nep (p_acc (slot_of s a))) (fsince fc a)); [apply Nat.ltb_lt|apply Nat.ltb_ge]; lia. }
  rewrite E1, E2. destruct (_ || _); auto.
Qed.
Lemma chosen_ok s x h c p fc : Rel s x h -> pfind c (t_props s) = Some p -> at_ v (nep c) = Some fc ->
  quorumb fc (b_voters p) = true -> chosen (co x) (B c).
Proof.
  intros Q F E Qb. pose proof (quorum_ok _ _ _ E Qb) as H. right. exists (fun a => In a (b_voters p)).
  split; [apply quorum_of_surv in H; exact H|]. split; [apply (quorum_some _ _ H)|].
  apply (q_props _ _ _ Q _ _ F).
Qed.
Lemma safe x : mreachable x -> Safe (co x).
Proof. intros R. apply safe_reachable, (m_reachable _ R). Qed.

(** ** Floors, damage *)
Lemma sound_raise s a f : (p_fl (slot_of s a) <=? f)%N = true -> Sound (Ok (raise s a f) []) s.
Proof.
  intros L%N.leb_le x h Q R. destruct x as [[P A M H] Kx G F T J].
  exists (M_ (St P A M H) Kx G (upd F a (N.to_nat f)) T J). split.
  - econstructor; [exact R|]. apply (@m_floor MI). pose proof (q_fl _ _ _ Q a) as E. cbn in E. rewrite E. lia.
  - unfold raise. keep Q.
Qed.
Lemma sound_damaged s a r : Sound (damaged s a r) s.
Proof.
  apply sound_need. intros _ x h Q R. exists x; split; auto. keep Q.
Qed.

(** ** Promises *)
Lemma ep_eq x y : nep x = nep y -> ep (B x) = ep (B y).
Proof. unfold nep, ep, B; cbn. intros ->; auto. Qed.
Lemma remember_ok proms last g x k c l : PM.find k (remember proms last g x) = Some (c, l) ->
  PM.find k proms = Some (c, l) \/ (c = g /\ (l = [x] \/ exists l', l = x :: l' /\ PM.find k proms = Some (g, l'))).
Proof.
  unfold remember. destruct (negb (above last g)); auto.
  destruct (PM.find (key_of g) proms) as [[g' l0]|] eqn:F.
  - destruct (nbeq g g') eqn:E; [apply nbeq_ok in E; subst g'|destruct (nblt g' g); auto];
      (destruct (Pos.eq_dec k (key_of g)) as [->|N]; [rewrite PM.gss|rewrite PM.gso by auto; auto]);
      intros Y; injection Y; intros <- <-; right; eauto.
  - destruct (Pos.eq_dec k (key_of g)) as [->|N]; [rewrite PM.gss|rewrite PM.gso by auto; auto].
    intros Y; injection Y; intros <- <-; right; eauto.
Qed.
Lemma sound_op_promise s a g fc : at_ v (nep g) = Some fc -> (nep g =? nep (p_prom (slot_of s a)))%N = true ->
  nblt (p_prom (slot_of s a)) g = true -> Sound (Ok (op_promise fc s a g) []) s.
Proof.
  intros E Eg%N.eqb_eq L%nblt_ok x h Q R. pose proof (answer_ok _ _ _ _ _ a Q E) as An.
  pose proof (q_prom _ _ _ Q a) as Ep. pose proof (q_acc _ _ _ Q a) as Ea.
  destruct x as [[P A M H] Kx G F T J]. cbn in Ep, Ea, An. eexists. split.
  - econstructor; [exact R|]. apply (@m_promise MI) with (a := a) (g := B g); cbn -[B ep]; rewrite Ep; auto using ep_eq.
  - unfold op_promise. keep Q.
    intros k c l Fk. apply remember_ok in Fk. destruct Fk as [Fk|(-> & D)].
    + pose proof (Qm _ _ _ Fk) as X. keep_given X.
    + assert (X : given (M_ (St P A M H) Kx G F T J) (a_promise (B g)) (tl l)).
      { destruct D as [->|(l' & -> & Fk)]; [intros ? ? ? ? []|apply (Qm _ _ _ Fk)]. }
      intros a' b w y I. assert (D' : (a', (b, (w, y))) =
        (a, (p_acc (slot_of s a), (p_cell (slot_of s a), answer fc (slot_of s a) a))) \/ In (a', (b, (w, y))) (tl l)).
      { destruct D as [->|(l' & -> & _)]; cbn in I |- *; intuition congruence. }
      destruct D' as [D'|D'].
      * injection D'; intros; subst. eexists; split; [reflexivity|]. left. cbn in Ea. rewrite Ea. cbn [fst snd].
        f_equal. symmetry. exact An.
      * destruct (X _ _ _ _ D') as (m & Em & Z). exists m. split; [exact Em|cbn; auto].
Qed.

(** ** Accepts *)
Lemma sound_vote s a c : Sound (vote v s a c) s.
Proof.
  unfold vote. apply sound_need; intros _. destruct (_ && _); [apply sound_same|].
  destruct (pfind c (t_props s)) as [pr|] eqn:Fp; [|exact I]. destruct (at_ v (nep c)) as [fc|] eqn:E; [|exact I].
  apply sound_need; intros Me. apply sound_need; intros Eg%N.eqb_eq. apply sound_need; intros L%nble_ok x h Q R.
  apply (memb_ok _ _ _ E) in Me.
  pose proof (q_prom _ _ _ Q a) as Ep. destruct (q_props _ _ _ Q _ _ Fp) as [[[par Pr] Tr] Vo].
  destruct x as [[P A M H] Kx G F T J]. cbn in Ep, Pr, Vo. eexists. split.
  - econstructor; [exact R|].
    eapply (@m_vote MI) with (a := a) (c := B c) (v := cell_of (b_cell pr)); cbn -[B ep];
      [exact Pr|rewrite Ep; auto|rewrite Ep; auto using ep_eq|exact Me].
  - unfold op_vote. keep Q.
    intros c' p' Y. apply pset_ok in Y. destruct Y as [[-> ->]|Y].
    + cbn. split; [split; [eauto|exact Tr]|].
      intros a' [<-|J']; [eexists; left; reflexivity|]. destruct (Vo _ J') as [w W]. eauto.
    + destruct (Qs _ _ Y) as [[[par' X] Tr'] Z]. split; [eauto|].
      intros a' J'. destruct (Z _ J') as [w W]. eauto.
Qed.
Lemma sound_promise_if s a g : Sound (Ok (promise_if v s a g) []) s.
Proof.
  unfold promise_if. destruct (at_ v (nep g)) as [fc|] eqn:E; [|apply sound_same].
  destruct (_ && _)%bool eqn:G; [|apply sound_same]. apply andb_true_iff in G. apply sound_op_promise; tauto.
Qed.
Lemma vote_out s a c s' o : vote v s a c = Ok s' o -> o = [].
Proof.
  unfold vote, need. destruct (may_vote _ _); [|discriminate]. destruct (_ && _); [congruence|].
  destruct (pfind c (t_props s)); [|discriminate]. destruct (at_ v (nep c)); [|discriminate].
  destruct (memberb _ _); [|discriminate]. destruct (_ =? _)%N; [|discriminate]. destruct (nble _ _); [|discriminate].
  congruence.
Qed.
Lemma sound_catch_up s a m : Sound (Ok (catch_up v s a m) []) s.
Proof.
  unfold catch_up. destruct (_ || _); [apply sound_same|]. pose proof (sound_vote s a m) as S.
  destruct (vote v s a m) as [s1 o|] eqn:E; [|apply sound_same]. rewrite (vote_out _ _ _ _ _ E) in S.
  eapply sound_after0; [exact S|]. apply sound_promise_if.
Qed.

(** what the node says it is in the model's words *)
Lemma sound_floored fc s a m f : agrees fc (slot_of s a) a m f = None ->
  Sound (Ok (floored fc (slot_of s a) s a f) []) s.
Proof.
  unfold agrees, floored, answer. destruct (_ || _)%bool; [|intros; apply sound_same].
  destruct (negb _); [discriminate|]. destruct (_ <=? f)%N eqn:L; [|discriminate]. intros _. apply sound_raise; auto.
Qed.
Lemma floored_prom fc p s a f a' : p_prom (slot_of (floored fc p s a f) a') = p_prom (slot_of s a').
Proof.
  unfold floored. destruct (answer fc p a); auto. unfold raise, put, slot_of; cbn. rewrite slot_put.
  destruct (Pos.eq_dec a a') as [->|]; auto.
Qed.
Lemma floored_reads fc p s a f : t_reads (floored fc p s a f) = t_reads s.
Proof. unfold floored. destruct (answer fc p a); auto. Qed.
Lemma sound_promise s a g m f : Sound (promise v s a g m f) s.
Proof.
  unfold promise. set (s1 := catch_up v s a m).
  assert (S1 : Sound (Ok s1 []) s) by apply sound_catch_up.
  apply sound_need; intros _. apply sound_need; intros Eg. apply sound_need; intros L.
  destruct (at_ v (nep g)) as [fc|] eqn:E; [|exact I].
  destruct (agrees fc (slot_of s1 a) a m f) eqn:Ag; [exact I|].
  eapply sound_after0; [exact S1|]. eapply sound_after0; [eapply sound_floored; exact Ag|].
  apply sound_op_promise; auto; rewrite floored_prom; auto.
Qed.

(** ** Proposals *)
Lemma sound_prepare s c : Sound (prepare s c) s.
Proof.
  assert (New : Sound (Ok (with_proms s (PM.add (key_of c) (c, []) (t_proms s))) []) s).
  { intros x h Q R. exists x. split; auto. keep Q. intros k g l. destruct (Pos.eq_dec k (key_of c)) as [->|N].
    - rewrite PM.gss. intros X; injection X; intros <- <-. intros ? ? ? ? [].
    - rewrite PM.gso by auto. eauto. }
  unfold prepare. apply sound_need; intros _. destruct (PM.find (key_of c) (t_proms s)) as [[g l]|]; [|exact New].
  destruct (nbeq g c); [apply sound_same|]. apply sound_need; auto.
Qed.
Lemma above_not last c w : above last c = true -> above last w = false -> w = c -> False.
Proof. intros X Y ->. congruence. Qed.
Lemma above_add last c c' : above last c = true -> (c' = c \/ above last c' = false) ->
  above (PM.add (key_of c) c last) c' = false.
Proof.
  intros Ab D. unfold above in *. destruct (Pos.eq_dec (key_of c') (key_of c)) as [Ek|Nk].
  - rewrite Ek, PM.gss. destruct D as [->|D].
    + destruct (nblt c c) eqn:X; auto. apply nblt_ok in X. exfalso; order.
    + rewrite Ek in D. destruct (PM.find (key_of c) last) as [l|]; [|discriminate].
      apply nblt_not in D. apply nblt_ok in Ab. destruct (nblt c c') eqn:X; auto. apply nblt_ok in X. exfalso; order.
  - rewrite PM.gso by auto. destruct D as [->|D]; [congruence|auto].
Qed.
Lemma cell_at_in p l w : cell_at p l = Some w -> exists a, In (a, (p, (w, None))) l.
Proof.
  unfold cell_at. destruct (filter _ l) as [|[a [m [u y]]] l'] eqn:E; [discriminate|].
  intros X; injection X; intros ->. exists a.
  assert (J : In (a, (m, (w, y))) (filter (fun x : answer_ => let '(_, (m, (_, y))) := x in nbeq m p && isnone y) l))
    by (rewrite E; left; auto).
  apply filter_In in J. destruct J as [J K]. apply andb_true_iff in K. destruct K as [K1 K2].
  apply nbeq_ok in K1. subst. destruct y; [discriminate|auto].
Qed.
Lemma in_map_answer a (l : list answer_) : In a (map fst l) -> exists m w y, In (a, (m, (w, y))) l.
Proof. intros J. apply in_map_iff in J. destruct J as ([a' [m [w y]]] & <- & J). eauto. Qed.

Lemma sees_ok s x h c p r fc l base : Rel s x h -> PM.find (key_of c) (t_proms s) = Some (c, l) ->
  at_ v (nep c) = Some fc -> let q := filter (usable fc p r) l in
  (if nbeq p nzero then Some (nabsent r) else cell_at p q) = Some base ->
  @sees MI (co x) (B c) (B p) (cell_of base) (map fst q).
Proof.
  intros Q F E q Ba. pose proof (q_proms _ _ _ Q _ _ _ F) as Gv.
  assert (Iq : forall a m w y, In (a, (m, (w, y))) q -> @member MI (ep (B c)) a /\
    msgs (co x) (Promise a (B c) (B m) (cell_of w) (option_map N.to_nat y)) /\
    match y with None => nbeq p nzero = false /\ B m <<= B p | Some f => nbeq p nzero = true -> (f <= r)%N end).
  { intros a m w y J. apply filter_In in J. destruct J as [J U]. cbn in U. apply andb_true_iff in U.
    destruct U as [Me U]. split; [apply (memb_ok _ _ _ E Me)|]. destruct (Gv _ _ _ _ J) as (g & -> & Pm). split; auto.
    destruct y as [f|].
    - intros Z. rewrite Z in U. apply N.leb_le; auto.
    - apply andb_true_iff in U. destruct U as [Z Le]. split; [apply negb_true_iff; auto|apply nble_ok; auto]. }
  destruct (nbeq p nzero) eqn:Z.
  - right. apply nbeq_ok in Z. subst p. split; [reflexivity|]. injection Ba; intros <-. exists (N.to_nat r).
    split; [reflexivity|]. intros a J. destruct (in_map_answer _ _ J) as (m & w & y & J').
    destruct (Iq _ _ _ _ J') as (Me & Pm & U). split; auto. destruct y as [f|]; [|destruct U; discriminate].
    exists (B m), (cell_of w), (N.to_nat f). split; [exact Pm|]. specialize (U eq_refl). lia.
  - left. destruct (cell_at_in _ _ _ Ba) as [a0 J0]. split.
    + exists a0. split; [apply in_map_iff; exists (a0, (p, (base, None))); auto|]. apply (Iq _ _ _ _ J0).
    + intros a J. destruct (in_map_answer _ _ J) as (m & w & y & J'). destruct (Iq _ _ _ _ J') as (Me & Pm & U).
      split; auto. exists (B m), (cell_of w), (option_map N.to_nat y). split; auto.
      intros Y. destruct y; [discriminate|]. apply U.
Qed.
Lemma sound_propose s c p r qs cell : folds (B c) = map request_of qs -> Sound (propose v s c p r qs cell) s.
Proof.
  intros Fo. unfold propose. apply sound_need; intros Ab. apply sound_need; intros Zc%nblt_ok.
  destruct (PM.find (key_of c) (t_proms s)) as [[g l]|] eqn:F; [|exact I].
  destruct (at_ v (nep c)) as [fc|] eqn:E; [|exact I]. apply sound_need; intros Eg%nbeq_ok. subst g.
  set (q := filter (usable fc p r) l). apply sound_need; intros Hq.
  destruct (if nbeq p nzero then Some (nabsent r) else cell_at p q) as [base|] eqn:Ba; [|exact I].
  destruct (nrun qs base) as [made vs] eqn:Rn. apply sound_need; intros _ x h Q R.
  pose proof (sees_ok _ _ _ _ _ _ _ _ _ Q F E Ba) as Se. fold q in Se.
  pose proof (quorum_ok _ _ _ E Hq) as Hq'.
  assert (New : forall w p0 pw, ~ msgs (co x) (Propose (B c) w p0 pw)).
  { intros w p0 pw X. apply (q_last _ _ _ Q) in X. congruence. }
  assert (NewI : ~ In (Inv (B c)) (hist (co x))).
  { intros X. destruct (q_inv _ _ _ Q _ X) as (w & p0 & pw & Y). eapply New; eauto. }
  assert (Zc' : zero << B c) by exact Zc.
  (* first the clients' submission, then the proposal *)
  assert (R1 : mreachable (M_ (St (prom (co x)) (acc (co x)) (msgs (co x)) (Inv (B c) :: hist (co x))) (K x) (gone x)
    (fl x) (told x) (joined x))).
  { destruct x as [[P A M H] Kx G Fl T J]. econstructor; [exact R|]. apply (@m_inv MI); auto. }
  destruct (m_reachable _ R1) as [RR Iv].
  destruct (@parent_exists MI _ (B c) (B p) (cell_of base) (map fst q) Iv (safe_reachable _ RR) Zc' Hq' Se)
    as (p' & v' & Par).
  assert (Ch : cell_of (ncut (length (filter napplied vs)) made) = @chg (@Reg MI) (B c) (cell_of base)).
  { replace (ncut (length (filter napplied vs)) made) with (nchange qs base) by (unfold nchange; rewrite Rn; auto).
    cbn [chg Reg MI chain_membership cells_register]. cbn. rewrite Fo. symmetry. apply nchange_ok. }
  destruct x as [[P A M H] Kx G Fl T J]. cbn in *. eexists. split.
  - econstructor; [exact R1|]. eapply (@m_propose MI) with (c := B c) (p := B p) (pv := cell_of base) (q := map fst q);
      cbn; eauto.
  - unfold add. keep Q.
    + intros c' p1. destruct (nbeq c' c) eqn:Ec.
      * intros Y; injection Y; intros <-. apply nbeq_ok in Ec. subst c'. cbn. split; [|intros ? []]. split.
        -- exists p'. left. rewrite Ch. reflexivity.
        -- unfold told_right. rewrite Fo, nrun_ok, Rn. reflexivity.
      * intros Y. destruct (Qs _ _ Y) as [[[par X] Tr] Z]. split; [eauto|]. intros a J'. destruct (Z _ J') as [w W]. eauto.
    + intros c' w par pw [X|X]; apply above_add; auto.
      * injection X; intros; subst. left. apply B_inj. congruence.
      * right. eapply Ql; eauto.
    + intros c' [X|X]; [injection X; intros; subst; do 3 eexists; left; reflexivity|].
      destruct (Qi _ X) as (w & par & pw & Y). eauto 6.
    + intros k c' l' Fk. destruct (Pos.eq_dec k (key_of c)) as [->|N]; [rewrite PM.grs in Fk; discriminate|].
      rewrite PM.gro in Fk by auto. pose proof (Qm _ _ _ Fk) as Y. keep_given Y.
    + intros n d Fd. destruct (Qr _ _ Fd) as (X & Y & Z). split; [right; auto|split].
      * intros b w [W|W]; [discriminate|]. eapply Y; eauto.
      * keep_given Z.
    + intros r0 [X|X]; [discriminate|auto].
    + constructor; cbn; auto.
Qed.
End Sound.
