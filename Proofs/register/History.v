(** What holds of the client history: who was answered, by which ballot, and
    what a one-round read (R6) saw.  [quorum_read] is the guard of a read in a
    fixed configuration.  A layer between Safety.v and Linearizable.v. *)
From Coq Require Import List.
From Synod Require Import Ballot Model Safety.
Import ListNotations.

Section History.
Context {Reg : Register}.

Ltac old W := destruct W as [W|W]; [discriminate W|].
Ltac cases_of S := destruct S as
  [ c0 Zc Nc | a0 g0 x0 L | a0 g0 L | c0 p0 w0 pv0 Ic Nc Zc Lp Src Blr Bl | a0 c0 v0 p0 pv0 Pm L
  | c0 v0 p0 pv0 Ch Pm | r0 Nr | a0 r0 x0 Ir | r0 b0 v0 rv0 Ir Nr Ch Vo Blr Cov ];
  cbn in *; unfold add in *.

(** ** facts about [anc] *)
Lemma anc_le s b c : Safe s -> anc s b c -> b <<= c.
Proof. intros I; induction 1 as [|c v p pv P _ IH]; [order|]. destruct (i_prop _ I _ _ _ _ P) as (_ & ? & _); order.
    Qed.

Lemma anc_trans s a b c : anc s a b -> anc s b c -> anc s a c.
Proof. induction 2; auto; econstructor; eauto. Qed.

Lemma anc_linear s a b c : Safe s -> anc s a c -> anc s b c -> anc s a b \/ anc s b a.
Proof.
  intros I Ha; revert b. induction Ha as [|c v p pv P Ha IH]; intros b Hb; [auto|].
  inversion Hb as [|? v' p' pv' P' Hb']; subst.
  - left; econstructor; eauto.
  - destruct (i_uniq _ I _ _ _ _ _ _ _ P P') as (_ & <- & <-). auto.
Qed.

Lemma anc_known s a c : Safe s -> known s c -> anc s a c -> known s a.
Proof. intros I K; induction 1; auto. eauto using parent_known. Qed.

Lemma anc_mono s s' a c : (forall m, msgs s m -> msgs s' m) -> anc s a c -> anc s' a c.
Proof. intros M; induction 1; [constructor|econstructor; eauto]. Qed.

(** the ancestors of what is already proposed never change *)
Lemma anc_back s s' a c : Safe s -> Safe s' -> (forall m, msgs s m -> msgs s' m) ->
  known s c -> anc s' a c -> anc s a c.
Proof.
  intros I I' M K; induction 1 as [|c v p pv P _ IH]; [constructor|].
  destruct K as [->|(v0 & p0 & pv0 & P0)].
  - destruct (i_prop _ I' _ _ _ _ P) as (? & _); order.
  - destruct (i_uniq _ I' _ _ _ _ _ _ _ P (M _ P0)) as (_ & -> & _).
    econstructor; eauto. apply IH. eauto using parent_known.
Qed.

(** ** the invariant about the history *)
(** a read is answered at most once *)
Fixpoint racku (h : list event) : Prop :=
  match h with
  | [] => True
  | e :: h => match e with RAck r _ _ => forall b v, ~ In (RAck r b v) h | _ => True end /\ racku h
  end.

Record Hist (s : state) : Prop := {
  h_racku : racku (hist s);
  h_ack  : forall c pv, In (Ack c pv) (hist s) ->
             chosen s c /\ exists v p, msgs s (Propose c v p pv);
  h_rack : forall r b v, In (RAck r b v) (hist s) ->
             chosen s b /\ (exists v0, valof s b v0 /\ blur v0 v) /\ In (RInv r) (hist s);
  h_rack1: forall r b v b' v', In (RAck r b v) (hist s) -> In (RAck r b' v') (hist s) -> b = b' /\ v = v';
  h_reply: forall a r g m v x, msgs s (Reply a r g m v x) -> In (RInv r) (hist s);
  h_snap : forall e b r, done e b -> Before (hist s) e (RInv r) ->
             b = zero \/ exists q, Q b q /\ (exists a, q a) /\
               forall a, q a -> (exists v, msgs s (Vote a b v)) /\
                                forall g m v x, msgs s (Reply a r g m v x) -> b <<= m;
  h_read : forall e b r b' v, done e b -> Before (hist s) e (RInv r) -> In (RAck r b' v) (hist s) ->
             b <<= b' /\ Before (hist s) e (RAck r b' v);
  h_write: forall e b c, done e b -> Before (hist s) e (Inv c) -> ~ anc s c b }.

Lemma before_cons h e x y : Before (e :: h) x y -> (e = y /\ In x h) \/ Before h x y.
Proof.
  intros ([|z h1] & h2 & E & I); cbn in E; inversion E; subst; [left|right]; auto.
  exists h1, h2; auto.
Qed.
Lemma before_more h e x y : Before h x y -> Before (e :: h) x y.
Proof. intros (h1 & h2 & -> & I). exists (e :: h1), h2; auto. Qed.
Lemma before_in h x y : Before h x y -> In y h /\ In x h.
Proof. intros (h1 & h2 & -> & I); rewrite !in_app_iff; cbn; auto. Qed.
Lemma before_new h x y : In x h -> Before (y :: h) x y.
Proof. intros; exists [], h; auto. Qed.
Hint Resolve before_more before_new : core.

Lemma valof_uniq s b v v' : Safe s -> valof s b v -> valof s b v' -> v = v'.
Proof.
  intros I [[-> ->]|(p & pv & P)] [[? ->]|(p' & pv' & P')]; auto.
  - destruct (i_prop _ I _ _ _ _ P') as (? & _); order.
  - subst; destruct (i_prop _ I _ _ _ _ P) as (? & _); order.
  - destruct (i_uniq _ I _ _ _ _ _ _ _ P P'); auto.
Qed.

Lemma done_chosen s e b : Hist s -> done e b -> In e (hist s) -> chosen s b.
Proof. intros H [[v ->]|(r & v & ->)] J; [apply (h_ack _ H _ _ J)|apply (h_rack _ H _ _ _ J)]. Qed.

Lemma hist_init : Hist s0.
Proof.
  split; cbn; intros; try contradiction;
    try match goal with H : Before [] _ _ |- _ => destruct (before_in _ _ _ H) as [[] _] end; auto.
Qed.

Ltac bcons K := apply before_cons in K; destruct K as [[? K]|K].

Lemma hist_step s s' : Safe s -> Safe s' -> Hist s -> step s s' -> Hist s'.
Proof.
  intros I I' H S. pose proof (fun m => step_msgs _ _ m S) as M.
  pose proof (fun e => step_hist _ _ e S) as HH.
  assert (OldS : forall e b r, done e b -> Before (hist s) e (RInv r) ->
       b = zero \/ exists q, Q b q /\ (exists a, q a) /\
               forall a, q a -> (exists v, msgs s' (Vote a b v)) /\
                                forall g m v x, msgs s (Reply a r g m v x) -> b <<= m).
  { intros e b r D K. destruct (h_snap _ H _ _ _ D K) as [?|(q & ? & ? & J)]; auto.
    right; exists q; repeat split; auto; destruct (J a) as [[? ?] ?]; eauto. }
  split.
  - (* h_racku *) pose proof (h_racku _ H). cases_of S; auto.
  - (* h_ack *) intros c pv J.
    assert (Old : In (Ack c pv) (hist s) ->
       chosen s' c /\ exists v p, msgs s' (Propose c v p pv)).
    { intros O. destruct (h_ack _ H _ _ O) as (? & v & p & ?).
      split; [eapply chosen_mono|]; eauto. }
    cases_of S; auto; destruct J as [J|J]; try discriminate J; auto.
    inversion J; subst. split; [exact Ch|]. exists v0, p0; auto.
  - (* h_rack *) intros r b v J.
    assert (Old : In (RAck r b v) (hist s) -> chosen s' b /\ (exists v0, valof s' b v0 /\ blur v0 v) /\ In (RInv r)
        (hist s')).
    { intros O. destruct (h_rack _ H _ _ _ O) as (? & (v0 & ? & ?) & ?).
      split; [eapply chosen_mono; eauto|split; [exists v0; split; auto; eapply valof_mono; eauto|auto]]. }
    cases_of S; auto; destruct J as [J|J]; try discriminate J; auto.
    inversion J; subst. eauto 7.
  - (* h_rack1 *) intros r b v b' v' J J'.
    cases_of S; try (eapply (h_rack1 _ H); eauto; fail);
      destruct J as [J|J], J' as [J'|J']; try discriminate J; try discriminate J';
      try (eapply (h_rack1 _ H); eauto; fail).
    + inversion J; inversion J'; subst; auto.
    + inversion J; subst; exfalso; eapply Nr; eauto.
    + inversion J'; subst; exfalso; eapply Nr; eauto.
  - (* h_reply *) intros a r g m v x J.
    assert (Old : msgs s (Reply a r g m v x) -> In (RInv r) (hist s')) by (intros; apply HH; eapply h_reply; eauto).
    cases_of S; auto; try (old J; auto; fail).
    destruct J as [J|J]; auto. inversion J; subst; auto.
  - (* h_snap *) intros e b r D K.
    cases_of S; try (apply (OldS _ _ _ D K); fail);
      try (bcons K; [discriminate|]; apply (OldS _ _ _ D K); fail);
      try (destruct (OldS _ _ _ D K) as [?|(q & ? & ? & J)]; auto; right; exists q;
           split; [auto|split; [auto|]]; intros a qa; destruct (J a qa); split; auto;
           intros g m w x X; old X; eauto; fail).
    + (* rinv *) bcons K; [|apply (OldS _ _ _ D K)].
      match goal with E : RInv _ = RInv _ |- _ => inversion E; subst end.
      destruct (done_chosen _ _ _ H D K) as [?|(q & ? & ? & J)]; auto.
      right; exists q; split; [auto|split; [auto|]]. intros a qa; split; [eauto|].
      intros g m w x X. exfalso; apply Nr; eapply h_reply; eauto.
    + (* reply *)
      destruct (OldS _ _ _ D K) as [?|(q & ? & ? & J)]; auto. right; exists q.
      split; [auto|split; [auto|]]. intros a qa; destruct (J a qa) as [[w W] J']; split; [eauto|].
      intros g m w' x [X|X]; [|eauto]. inversion X; subst.
      old W. apply (i_vote _ I _ _ _ W).
  - (* h_read *) intros e b r b' v D K J.
    assert (Old : Before (hist s) e (RInv r) -> In (RAck r b' v) (hist s) -> b <<= b' /\ Before (hist s) e (RAck r b'
        v))
      by (intros; eapply (h_read _ H); eauto).
    cases_of S; auto.
    + bcons K; [discriminate|]. destruct J as [J|J]; [discriminate|]. destruct Old; auto.
    + bcons K; [discriminate|]. destruct J as [J|J]; [discriminate|]. destruct Old; auto.
    + (* rinv *) destruct J as [J|J]; [discriminate|]. bcons K; [|destruct Old; auto].
      match goal with E : RInv _ = RInv _ |- _ => inversion E; subst end.
      exfalso; apply Nr; eapply (h_rack _ H); eauto.
    + (* rack *) bcons K; [discriminate|]. destruct J as [J|J]; [|destruct Old; auto].
      inversion J; subst. split; [|apply before_new; apply (before_in _ _ _ K)].
      eapply Cov; eauto.
  - (* h_write *) intros e b c D K.
    assert (Old : Before (hist s) e (Inv c) -> ~ anc s' c b).
    { intros O X. apply (h_write _ H _ _ _ D O).
      eapply anc_back; [exact I|exact I'|exact M| |exact X].
      apply (chosen_known _ _ I). eapply done_chosen; eauto. apply (before_in _ _ _ O). }
    cases_of S; auto; try (bcons K; [discriminate|auto]; fail).
    (* inv *) bcons K; auto.
    match goal with E : Inv _ = Inv _ |- _ => inversion E; subst end.
    intros X.
    pose proof (chosen_known _ _ I (done_chosen _ _ _ H D K)) as Kb.
    assert (Y : anc s c b) by (eapply anc_back; [exact I|exact I'|exact M| |exact X]; auto).
    destruct (anc_known _ _ _ I Kb Y) as [->|(? & ? & ? & P)]; [order|].
    apply Nc. apply (i_prop _ I _ _ _ _ P).
Qed.

Theorem hist_reachable s : reachable s -> Hist s.
Proof.
  induction 1; auto using hist_init.
  eapply hist_step; eauto using safe_reachable. apply safe_reachable; econstructor; eauto.
Qed.

(** The guard of [s_rack] in a fixed configuration: answers below b' from a
    member of every quorum of every b' above b. *)
Lemma quorum_read s r b : reachable s -> known s b ->
  (forall b' q, b << b' -> Q b' q -> exists a g m v x, q a /\ msgs s (Reply a r g m v x) /\ m << b') ->
  forall e b', done e b' -> Before (hist s) e (RInv r) -> b' <<= b.
Proof.
  intros RR Kb Cov e b' D K. pose proof (safe_reachable _ RR) as I. pose proof (hist_reachable _ RR) as H.
  destruct (lt_or_le b b') as [X|X]; auto. exfalso.
  destruct (h_snap _ H _ _ _ D K) as [->|(q & Hq & _ & W)].
  { pose proof (known_ge _ _ I Kb); order. }
  destruct (Cov b' q X Hq) as (a & g & m & w & x & qa & Rp & ?).
  destruct (W a qa) as [_ Y]. specialize (Y _ _ _ _ Rp). order.
Qed.


End History.
#[global] Hint Resolve before_more before_new : core.
