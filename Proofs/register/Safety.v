(** The inductive invariant of Model.v, and what it gives:

    - [one_value_per_ballot]: no two acceptors ever accept different cells at
      one ballot;
    - [parent_not_below]: whoever proposes above a chosen ballot starts from it
      or from something later;
    - [descent]: a chosen ballot is an ancestor of everything proposed above it
      (so nothing chosen is ever lost).

    The invariant in words: accepted <= promised; each accepted cell was proposed;
    a promise (g, m) implies that every accept of that node is <= m or >= g; a
    proposed cell is its fold applied to its parent's cell (blurred at most), and
    all ballots between are blocked; one proposal per ballot. *)
From Coq Require Import List.
From Synod Require Import Ballot Model.
Import ListNotations.

Section Safety.
Context {Reg : Register}.

(** ** The inductive invariant *)
Record Safe (s : state) : Prop := {
  i_acc  : forall a, fst (acc s a) <<= prom s a;
  i_accv : forall a, acc s a = (zero, init) \/ msgs s (Vote a (fst (acc s a)) (snd (acc s a)));
  i_vote : forall a b v, msgs s (Vote a b v) ->
             b <<= fst (acc s a) /\ exists p pv, msgs s (Propose b v p pv);
  i_prom : forall a g m v x, msgs s (Promise a g m v x) ->
             m << g /\ g <<= prom s a
             /\ ((m = zero /\ v = init) \/ msgs s (Vote a m v))
             /\ forall b w, msgs s (Vote a b w) -> b <<= m \/ g <<= b;
  i_reply: forall a r g m v x, msgs s (Reply a r g m v x) ->
             (m = zero /\ v = init) \/ msgs s (Vote a m v);
  i_prop : forall c v p pv, msgs s (Propose c v p pv) ->
             zero << c /\ p << c /\ In (Inv c) (hist s)
             /\ (v = chg c pv /\ exists v0, valof s p v0 /\ blur v0 pv)
             /\ forall b, p << b -> b << c -> blocked s b;
  i_uniq : forall c v p pv v' p' pv', msgs s (Propose c v p pv) -> msgs s (Propose c v' p' pv') ->
             v = v' /\ p = p' /\ pv = pv' }.

Lemma upd_same X (f : A -> X) a x : upd f a x a = x.
Proof. unfold upd; destruct (A_dec a a); congruence. Qed.
Lemma upd_cases X (f : A -> X) a x a' : (a' = a /\ upd f a x a' = x) \/ (a' <> a /\ upd f a x a' = f a').
Proof. unfold upd; destruct (A_dec a a'); subst; auto. Qed.

Ltac updc f a x a' :=
  let E := fresh "E" in let N := fresh "N" in
  destruct (upd_cases _ f a x a') as [[N E]|[N E]]; rewrite ?E in *.

Lemma blocked_mono s s' b : (forall m, msgs s m -> msgs s' m) -> blocked s b -> blocked s' b.
Proof. intros M H q q_; destruct (H q q_) as (a & g & m & v & x & ? & ? & ?); eauto 12. Qed.
Lemma valof_mono s s' b v : (forall m, msgs s m -> msgs s' m) -> valof s b v -> valof s' b v.
Proof. intros M [?|(? & ? & ?)]; [left|right]; eauto. Qed.
Lemma chosen_mono s s' b : (forall m, msgs s m -> msgs s' m) -> chosen s b -> chosen s' b.
Proof. intros M [?|(q & ? & ? & H)]; [left; auto|right; exists q; repeat split; auto].
  intros a qa; destruct (H a qa); eauto. Qed.
Lemma step_msgs s s' m : step s s' -> msgs s m -> msgs s' m.
Proof. destruct 1; cbn; unfold add; auto. Qed.
Lemma step_hist s s' e : step s s' -> In e (hist s) -> In e (hist s').
Proof. destruct 1; cbn; auto. Qed.
Lemma safe_init : Safe s0.
Proof. split; cbn; intros; try contradiction; auto; order. Qed.

Ltac cases_of S := destruct S as
  [ c0 Zc Nc | a0 g0 x0 L | a0 g0 L | c0 p0 w0 pv0 Ic Nc Zc Lp Src Blr Bl | a0 c0 v0 p0 pv0 Pm L
  | c0 v0 p0 pv0 Ch Pm | r0 Nr | a0 r0 x0 Ir | r0 b0 v0 rv0 Ir Nr Ch Vo Blr Cov ];
  cbn in *; unfold add in *.
Ltac old W := destruct W as [W|W]; [discriminate W|].

Lemma safe_step s s' : Safe s -> step s s' -> Safe s'.
Proof.
  intros I S. pose proof (fun m => step_msgs _ _ m S) as M.
  pose proof (fun e => step_hist _ _ e S) as HH.
  split.
  - (* i_acc *) intros a; cases_of S; try apply (i_acc _ I).
    + updc (prom s) a0 g0 a; subst; [pose proof (i_acc _ I a0); order | apply (i_acc _ I)].
    + updc (prom s) a0 g0 a; subst; [pose proof (i_acc _ I a0); order | apply (i_acc _ I)].
    + updc (prom s) a0 c0 a; updc (acc s) a0 (c0,v0) a; subst; try congruence; cbn;
        [order | apply (i_acc _ I)].
  - (* i_accv *) intros a; cases_of S; try (destruct (i_accv _ I a); auto; fail).
    updc (acc s) a0 (c0,v0) a; subst; cbn; auto. destruct (i_accv _ I a); auto.
  - (* i_vote *) intros a b w W.
    assert (Old : msgs s (Vote a b w) -> b <<= fst (acc s a) /\ exists p pv, msgs s' (Propose b w p pv)).
    { intros O; destruct (i_vote _ I _ _ _ O) as [? (? & ? & ?)]; eauto. }
    cases_of S; auto; try (old W; auto; fail).
    destruct W as [W|W].
    + inversion W; subst. rewrite upd_same; cbn; split; [order|eauto].
    + destruct (Old W) as [? ?]; split; auto.
      updc (acc s) a0 (c0,v0) a; subst; cbn; auto.
      pose proof (i_acc _ I a0); order.
  - (* i_prom *) intros a g m w x W.
    assert (Old : msgs s (Promise a g m w x) -> m << g /\ g <<= prom s a /\
       ((m = zero /\ w = init) \/ msgs s' (Vote a m w)) /\
       forall b w', msgs s (Vote a b w') -> b <<= m \/ g <<= b).
    { intros O; destruct (i_prom _ I _ _ _ _ _ O) as (? & ? & [?|?] & ?); auto 6. }
    cases_of S; auto;
      try (old W; destruct (Old W) as (? & ? & ? & K); repeat split; auto;
           intros b w' X; old X; eauto; fail).
    + (* promise *)
      destruct W as [W|W].
      * inversion W; subst. rewrite upd_same.
        pose proof (i_acc _ I a0). repeat split; try order.
        -- destruct (i_accv _ I a0) as [E|E]; [rewrite E; auto|auto].
        -- intros b w' X; old X. left. apply (i_vote _ I _ _ _ X).
      * destruct (Old W) as (? & ? & ? & K); repeat split; auto.
        -- updc (prom s) a0 g0 a; subst; auto; order.
        -- intros b w' X; old X; eauto.
    + (* raise *)
      destruct (Old W) as (? & ? & ? & K); repeat split; auto.
      updc (prom s) a0 g0 a; subst; auto; order.
    + (* vote *)
      old W. destruct (Old W) as (? & ? & ? & K); repeat split; auto.
      * updc (prom s) a0 c0 a; subst; auto; order.
      * intros b w' [X|X]; [|eauto]. inversion X; subst. right; order.
  - (* i_reply *) intros a r g m w x W.
    assert (Old : msgs s (Reply a r g m w x) -> (m = zero /\ w = init) \/ msgs s' (Vote a m w)).
    { intros O; destruct (i_reply _ I _ _ _ _ _ _ O); auto. }
    cases_of S; auto; try (old W; auto; fail).
    destruct W as [W|W]; auto. inversion W; subst.
    destruct (i_accv _ I a0) as [E|E]; [rewrite E; auto|auto].
  - (* i_prop *) intros c v p pv W.
    assert (Old : msgs s (Propose c v p pv) ->
      zero << c /\ p << c /\ In (Inv c) (hist s') /\
      (v = chg c pv /\ exists v0, valof s' p v0 /\ blur v0 pv) /\ forall b, p << b -> b << c -> blocked s' b).
    { intros O; destruct (i_prop _ I _ _ _ _ O) as (? & ? & ? & (? & v0 & ? & ?) & K).
      repeat split; auto; [exists v0; split; eauto using valof_mono|].
      intros; eapply blocked_mono; eauto. }
    cases_of S; auto; try (old W; auto; fail).
    destruct W as [W|W]; [|auto]. inversion W; subst.
    repeat split; auto.
    + exists w0; split; auto. eapply valof_mono; [|eauto]. cbn; auto.
    + intros; eapply blocked_mono; [|eauto]. cbn; auto.
  - (* i_uniq *) intros c v p pv v' p' pv' W W'; cases_of S;
      try (eapply (i_uniq _ I); eauto; fail);
      try (old W; old W'; eapply (i_uniq _ I); eauto; fail).
    destruct W as [W|W], W' as [W'|W'];
      [inversion W; inversion W'; subst; auto
      |inversion W; subst; exfalso; eapply Nc; eauto
      |inversion W'; subst; exfalso; eapply Nc; eauto
      |eapply (i_uniq _ I); eauto].
Qed.

Theorem safe_reachable s : reachable s -> Safe s.
Proof. induction 1; eauto using safe_init, safe_step. Qed.

(** ** Main safety theorems *)
Theorem one_value_per_ballot s a a' b v v' : reachable s ->
  msgs s (Vote a b v) -> msgs s (Vote a' b v') -> v = v'.
Proof.
  intros I%safe_reachable W W'.
  destruct (i_vote _ I _ _ _ W) as (_ & ? & ? & P), (i_vote _ I _ _ _ W') as (_ & ? & ? & P').
  destruct (i_uniq _ I _ _ _ _ _ _ _ P P'); auto.
Qed.

Lemma blocked_not_chosen s b : Safe s -> zero << b -> blocked s b -> ~ chosen s b.
Proof.
  intros I Z Bl [->|(q & Hq & _ & W)]; [order|].
  destruct (Bl q Hq) as (a & g & m & v & x & qa & P & ? & ?).
  destruct (W a qa) as [w W'].
  destruct (i_prom _ I _ _ _ _ _ P) as (_ & _ & _ & K). destruct (K _ _ W'); order.
Qed.

(** whoever proposes above a chosen ballot starts from it or from something later *)
Theorem parent_not_below s b c v p pv : reachable s ->
  chosen s b -> msgs s (Propose c v p pv) -> zero << b -> b << c -> b <<= p.
Proof.
  intros I%safe_reachable C P Z L.
  destruct (lt_or_le p b) as [X|X]; auto. exfalso.
  eapply blocked_not_chosen; eauto. eapply (i_prop _ I); eauto.
Qed.

(** something was proposed at c *)
Definition known s c := c = zero \/ exists v p pv, msgs s (Propose c v p pv).
Lemma valof_known s c v : valof s c v -> known s c.
Proof. intros [[? _]|(? & ? & ?)]; [left|right]; eauto. Qed.
Lemma parent_known s c v p pv : Safe s -> msgs s (Propose c v p pv) -> known s p.
Proof. intros I P; destruct (i_prop _ I _ _ _ _ P) as (_ & _ & _ & (_ & ? & ? & _) & _); eauto using valof_known. Qed.
Lemma known_ge s c : Safe s -> known s c -> zero <<= c.
Proof. intros _ _; apply zero_least. Qed.
Lemma chosen_known s b : Safe s -> chosen s b -> known s b.
Proof.
  intros I [->|(q & _ & [a qa] & W)]; [left; auto|right].
  destruct (W a qa) as [v Wa]. destruct (i_vote _ I _ _ _ Wa) as (_ & ? & ? & ?); eauto.
Qed.

(** the chain of descent *)
Theorem descent s b c : reachable s -> chosen s b -> known s c -> b <<= c -> anc s b c.
Proof.
  intros RR C. pose proof (safe_reachable _ RR) as I.
  pose proof (known_ge _ _ I (chosen_known _ _ I C)) as Zb.
  induction c as [c IH] using (well_founded_ind lt_wf). intros K L.
  destruct (lt_or_le b c) as [L'|L']; [|assert (b = c) by order; subst; constructor].
  destruct K as [->|(v & p & pv & P)]; [order|].
  destruct (i_prop _ I _ _ _ _ P) as (_ & Lp & _ & _).
  pose proof (parent_known _ _ _ _ _ I P) as Kp.
  econstructor; [exact P|]. apply IH; auto.
  destruct (lt_or_le zero b); [eapply parent_not_below; eauto|].
  pose proof (known_ge _ _ I Kp); order.
Qed.


End Safety.
