(** The configuration register: all nodes agree on what epoch n means
    (PROTOCOL, Membership).

    How to read it.  A configuration is changed by rounds of its own epoch only,
    run under its own quorums: a proposer that has installed [C] of epoch n takes
    the promises of a quorum of [C]; if the highest cell it is told of is of epoch
    n, it may put a successor of [C] in its place (the CAS compares the epoch),
    else it proposes that cell unchanged, which is how another coordinator resumes
    a change that was begun.  Only a chosen configuration is installed ([known]).

    - [agreement]: two known configurations of one epoch are the same;
    - [succession]: the one of epoch n+1 is an allowed successor of the one of
      epoch n.

    Nothing is assumed about how the quorums of different configurations meet. *)
From Coq Require Import List Arith Lia.
From Synod Require Import Ballot.
Import ListNotations.

Section Config.
Variables (A C : Type).
Variable A_dec : forall a b : A, {a = b} + {a <> b}.
Variable epoch : C -> nat.
Variable quorum : C -> (A -> Prop) -> Prop.
Variable next : C -> C -> Prop.                  (* allowed successors          *)
Variable first : C.
Hypothesis meet : forall c q q', quorum c q -> quorum c q' -> exists a, q a /\ q' a.
Hypothesis next_epoch : forall c d, next c d -> epoch d = epoch c + 1.
Hypothesis first_epoch : epoch first = 0.

Inductive msg :=
| Promise (a : A) (g m : ballot) (w : C)
| Propose (c : ballot) (v : C)
| Vote (a : A) (b : ballot) (v : C).

Record state := St {
  prom : A -> ballot; acc : A -> ballot * C;
  inst : A -> C;                                 (* what it has installed       *)
  msgs : msg -> Prop }.

Definition add (m : msg) (M : msg -> Prop) : msg -> Prop := fun x => x = m \/ M x.
Definition upd {X} (f : A -> X) a x := fun a' => if A_dec a a' then x else f a'.
Definition s0 := St (fun _ => zero) (fun _ => (zero, first)) (fun _ => first) (fun _ => False).

(** [C]'s epoch was opened: C was chosen in the epoch before it *)
Inductive known (M : msg -> Prop) : C -> Prop :=
| k_first : known M first
| k_chosen b q c d : known M c -> epoch c = ep b -> quorum c q -> (forall a, q a -> M (Vote a b d)) ->
    epoch d = ep b + 1 -> known M d.

(** what a proposer that has installed [c] makes of the cell [w] *)
Inductive cas (c w : C) : C -> Prop :=
| cas_done d : epoch w = epoch c -> next c d -> cas c w d
| cas_kept : epoch w <> epoch c -> cas c w w.

Inductive step (s : state) : state -> Prop :=
| c_install a d : known (msgs s) d -> epoch (inst s a) < epoch d ->
    step s (St (prom s) (acc s) (upd (inst s) a d) (msgs s))
| c_promise a g : ep g = epoch (inst s a) -> prom s a << g ->
    step s (St (upd (prom s) a g) (acc s) (inst s) (add (Promise a g (fst (acc s a)) (snd (acc s a))) (msgs s)))
| c_propose n b q p w v : zero << b -> ep b = epoch (inst s n) -> (forall v', ~ msgs s (Propose b v')) ->
    quorum (inst s n) q -> p << b ->
    (forall a, q a -> exists m u, msgs s (Promise a b m u) /\ m <<= p) ->
    ((p = zero /\ w = first) \/ exists a, q a /\ msgs s (Promise a b p w)) ->
    cas (inst s n) w v ->
    step s (St (prom s) (acc s) (inst s) (add (Propose b v) (msgs s)))
| c_vote a b v : msgs s (Propose b v) -> prom s a <<= b -> ep b = epoch (inst s a) ->
    step s (St (upd (prom s) a b) (upd (acc s) a (b, v)) (inst s) (add (Vote a b v) (msgs s))).
Inductive reachable : state -> Prop :=
| r_init : reachable s0
| r_step s s' : reachable s -> step s s' -> reachable s'.

Record Safe (s : state) : Prop := {
  i_acc : forall a, fst (acc s a) <<= prom s a;
  i_accv : forall a, acc s a = (zero, first) \/ msgs s (Vote a (fst (acc s a)) (snd (acc s a)));
  i_inst : forall a, known (msgs s) (inst s a);
  i_vote : forall a b v, msgs s (Vote a b v) -> b <<= fst (acc s a) /\ msgs s (Propose b v);
  i_prom : forall a g m w, msgs s (Promise a g m w) -> g <<= prom s a /\
    ((m = zero /\ w = first) \/ msgs s (Vote a m w)) /\ forall b v, msgs s (Vote a b v) -> b <<= m \/ g <<= b;
  i_uniq : forall b v v', msgs s (Propose b v) -> msgs s (Propose b v') -> v = v';
  i_prop : forall b v, msgs s (Propose b v) -> zero << b /\ exists c q p w,
    known (msgs s) c /\ epoch c = ep b /\ quorum c q /\ p << b /\
    (forall a, q a -> exists m u, msgs s (Promise a b m u) /\ m <<= p) /\
    ((p = zero /\ w = first) \/ exists a, q a /\ msgs s (Promise a b p w)) /\ cas c w v }.

Lemma known_mono (M M' : msg -> Prop) c : (forall m, M m -> M' m) -> known M c -> known M' c.
Proof. intros H; induction 1; [constructor|econstructor; eauto]. Qed.
Lemma upd_cases X (f : A -> X) a x a' : (a' = a /\ upd f a x a' = x) \/ (a' <> a /\ upd f a x a' = f a').
Proof. unfold upd; destruct (A_dec a a'); subst; auto. Qed.
Ltac updc f a x a' :=
  let E := fresh "E" in let N := fresh "N" in destruct (upd_cases _ f a x a') as [[N E]|[N E]]; rewrite ?E in *.

Lemma safe_init : Safe s0.
Proof. split; cbn; intros; try contradiction; auto; [order|constructor]. Qed.

Lemma safe_step s s' : Safe s -> step s s' -> Safe s'.
Proof.
  intros I S. assert (M : forall m, msgs s m -> msgs s' m) by (destruct S; cbn; unfold add; auto).
  assert (Kn : forall c, known (msgs s) c -> known (msgs s') c) by (intros c; apply known_mono; auto).
  split.
  - intros a. pose proof (i_acc _ I a). destruct S; cbn; auto.
    + updc (prom s) a0 g a; subst; order.
    + updc (prom s) a0 b a; updc (acc s) a0 (b, v) a; subst; try congruence; cbn; order.
  - intros a. destruct (i_accv _ I a) as [E|E]; [|apply M in E]; destruct S; cbn in *; auto;
      updc (acc s) a0 (b, v) a; subst; cbn; unfold add; auto.
  - intros a. pose proof (Kn _ (i_inst _ I a)). destruct S; cbn in *; auto.
    updc (inst s) a0 d a; subst; auto.
  - intros a b v W. assert (Old : msgs s (Vote a b v) -> b <<= fst (acc s' a) /\ msgs s' (Propose b v)).
    { intros O. destruct (i_vote _ I _ _ _ O) as [L P]. split; auto. pose proof (i_acc _ I a).
      destruct S; cbn in *; auto. updc (acc s) a0 (b0, v0) a; subst; cbn; auto. order. }
    destruct S; cbn in *; unfold add in *; auto; try (destruct W as [W|W]; [discriminate W|auto]).
    destruct W as [W|W]; [|auto]. inversion W; subst. updc (acc s) a0 (b0, v0) a0; [|congruence]. split; [cbn;
        order|auto].
  - intros a g m w W. assert (Old : msgs s (Promise a g m w) -> g <<= prom s' a /\
      ((m = zero /\ w = first) \/ msgs s' (Vote a m w)) /\ forall b v, msgs s (Vote a b v) -> b <<= m \/ g <<= b).
    { intros O. destruct (i_prom _ I _ _ _ _ O) as (L & D & K). split; [|split; [destruct D; auto|auto]].
      destruct S; cbn in *; auto; [updc (prom s) a0 g0 a|updc (prom s) a0 b a]; subst; auto; order. }
    destruct S as [a0 d Kd Le|a0 g0 Eg Lg|n b q p w0 v Z Eb Nb Hq Lp An Src Ca|a0 b v P Lb Eb]; cbn in *; unfold add
        in *; auto.
    + destruct W as [W|W].
      * inversion W; subst. updc (prom s) a0 g0 a0; [|congruence]. split; [order|split].
        -- destruct (i_accv _ I a0) as [E'|E']; [rewrite E'; auto|auto].
        -- intros b v [X|X]; [discriminate|]. left. apply (i_vote _ I _ _ _ X).
      * destruct (Old W) as (? & ? & K). split; [auto|split; [auto|]]. intros b v [X|X]; [discriminate|eauto].
    + destruct W as [W|W]; [discriminate|]. destruct (Old W) as (? & ? & K). split; [auto|split; [auto|]].
      intros b' v' [X|X]; [discriminate|eauto].
    + destruct W as [W|W]; [discriminate|]. destruct (Old W) as (? & ? & K). split; [auto|split; [auto|]].
      intros b' v' [X|X]; [|eauto]. inversion X; subst. right.
      destruct (i_prom _ I _ _ _ _ W) as (L & _). order.
  - intros b v v' W W'. destruct S; cbn in *; unfold add in *; try (eapply (i_uniq _ I); eauto; fail);
      try (destruct W as [W|W]; [discriminate W|]; destruct W' as [W'|W']; [discriminate W'|];
           eapply (i_uniq _ I); eauto; fail).
    destruct W as [W|W], W' as [W'|W']; try (inversion W; inversion W'; subst; auto; fail);
      try (inversion W; subst; exfalso; eapply H1; eauto; fail);
      try (inversion W'; subst; exfalso; eapply H1; eauto; fail). eapply (i_uniq _ I); eauto.
  - intros b v W. assert (Old : msgs s (Propose b v) -> zero << b /\ exists c q p w,
      known (msgs s') c /\ epoch c = ep b /\ quorum c q /\ p << b /\
      (forall a, q a -> exists m u, msgs s' (Promise a b m u) /\ m <<= p) /\
      ((p = zero /\ w = first) \/ exists a, q a /\ msgs s' (Promise a b p w)) /\ cas c w v).
    { intros O. destruct (i_prop _ I _ _ O) as (Z & c & q & p & w & K & E & Hq & L & An & Src & Ca). split; auto.
      exists c, q, p, w. repeat split; auto.
      - intros a qa; destruct (An a qa) as (m & u & ? & ?); eauto.
      - destruct Src as [?|(a & ? & ?)]; eauto. }
    destruct S as [a0 d Kd Le|a0 g0 Eg Lg|n b0 q p w0 v0 Z Eb Nb Hq Lp An Src Ca|a0 b0 v0 P Lb Eb]; cbn in *; unfold
        add in *; auto;
      try (destruct W as [W|W]; [discriminate W|auto]; fail).
    destruct W as [W|W]; [|auto]. inversion W; subst. split; auto.
    exists (inst s n), q, p, w0. repeat split; auto.
    + apply Kn, (i_inst _ I).
    + intros a qa; destruct (An a qa) as (m & u & ? & ?); eauto.
    + destruct Src as [?|(a & ? & ?)]; eauto.
Qed.
Theorem safe_reachable s : reachable s -> Safe s.
Proof. induction 1; eauto using safe_init, safe_step. Qed.

(** in an epoch whose configuration is agreed, a chosen successor stays *)
Lemma stays s c q b d : Safe s -> (forall c', known (msgs s) c' -> epoch c' = epoch c -> c' = c) ->
  epoch c = ep b -> quorum c q -> (forall a, q a -> msgs s (Vote a b d)) -> epoch d = ep b + 1 ->
  forall b' v, msgs s (Propose b' v) -> b <<= b' -> ep b' = ep b -> v = d.
Proof.
  intros I Un Ec Hq W Ed. induction b' as [b' IH] using (well_founded_ind lt_wf). intros v P L E.
  destruct (meet _ _ _ Hq Hq) as (a0 & qa0 & _). destruct (i_vote _ I _ _ _ (W a0 qa0)) as [_ P0].
  destruct (ballot_dec b b') as [<-|Ne]; [eapply (i_uniq _ I); eauto|].
  destruct (i_prop _ I _ _ P) as (Z & c' & q' & p & w & Kc & Ec' & Hq' & Lp & An & Src & Ca).
  assert (c' = c) as -> by (apply Un; auto; lia).
  destruct (meet _ _ _ Hq Hq') as (a & qa & qa'). destruct (An a qa') as (m & u & Pm & Lm).
  destruct (i_prom _ I _ _ _ _ Pm) as (_ & _ & K). pose proof (W a qa) as Wa.
  assert (Bp : b <<= p) by (destruct (K _ _ Wa); order).
  assert (Zb : zero << b) by apply (i_prop _ I _ _ P0).
  assert (w = d) as ->.
  { destruct Src as [[-> _]|(a' & qa2 & Pp)]; [order|].
    destruct (i_prom _ I _ _ _ _ Pp) as (_ & [[-> _]|Wp] & _); [order|].
    destruct (i_vote _ I _ _ _ Wp) as [_ Pw].
    apply (IH p); auto. pose proof (ep_le _ _ Bp). pose proof (ep_mono _ _ Lp). lia. }
  destruct Ca; auto. lia.
Qed.

Theorem agreement s c d : reachable s -> known (msgs s) c -> known (msgs s) d -> epoch c = epoch d -> c = d.
Proof.
  intros RR. pose proof (safe_reachable _ RR) as I. remember (epoch c) as n eqn:En. revert c d En.
  induction n as [n IH] using (well_founded_ind Wf_nat.lt_wf). intros c d -> Kc Kd E.
  destruct Kc as [|b q c0 c Kc Ec Hq W Es]; destruct Kd as [|b' q' d0 d Kd Ed Hq' W' Es']; auto; try lia.
  assert (c0 = d0) as <- by (apply (IH (ep b)); auto; lia).
  assert (Un : forall c', known (msgs s) c' -> epoch c' = epoch c0 -> c' = c0).
  { intros c' K' E'. apply (IH (epoch c')); auto. lia. }
  assert (Eb : ep b = ep b') by lia.
  assert (P : msgs s (Propose b c)).
  { destruct (meet _ _ _ Hq Hq) as (a & qa & _). apply (i_vote _ I _ _ _ (W a qa)). }
  assert (P' : msgs s (Propose b' d)).
  { destruct (meet _ _ _ Hq' Hq') as (a & qa & _). apply (i_vote _ I _ _ _ (W' a qa)). }
  destruct (lt_or_le b b') as [L|L].
  - symmetry. eapply (stays s c0 q b c I Un); eauto. order.
  - eapply (stays s c0 q' b' d I Un); eauto.
Qed.

Lemma proposed_next s b v : Safe s -> msgs s (Propose b v) -> epoch v <= ep b + 1 /\
  (epoch v = ep b + 1 -> exists c, known (msgs s) c /\ epoch c = ep b /\ next c v).
Proof.
  intros I; revert v. induction b as [b IH] using (well_founded_ind lt_wf). intros v P.
  destruct (i_prop _ I _ _ P) as (Z & c & q & p & w & Kc & Ec & Hq & Lp & An & Src & Ca).
  destruct Ca as [d Ew Nx|Ne]; [pose proof (next_epoch _ _ Nx); split; [lia|eauto]|].
  pose proof (ep_mono _ _ Lp).
  destruct Src as [[-> ->]|(a & qa & Pp)]; [rewrite first_epoch; split; lia|].
  destruct (i_prom _ I _ _ _ _ Pp) as (_ & [[-> ->]|Wp] & _); [rewrite first_epoch; split; lia|].
  destruct (i_vote _ I _ _ _ Wp) as [_ Pw]. destruct (IH p Lp _ Pw) as [L X]. split; [lia|].
  intros E. assert (Ep : ep p = ep b) by lia. rewrite <- Ep. apply X. lia.
Qed.

Theorem succession s c d : reachable s -> known (msgs s) c -> known (msgs s) d -> epoch d = epoch c + 1 -> next c d.
Proof.
  intros RR Kc Kd E. pose proof (safe_reachable _ RR) as I.
  destruct Kd as [|b q d0 d Kd Ed Hq W Es]; [lia|].
  destruct (meet _ _ _ Hq Hq) as (a & qa & _). destruct (i_vote _ I _ _ _ (W a qa)) as [_ P].
  destruct (proposed_next _ _ _ I P) as [_ X]. destruct (X Es) as (c1 & K1 & E1 & Nx).
  rewrite (agreement _ c c1 RR Kc K1); auto. lia.
Qed.

(** so the configurations that were ever installed form one chain, and every epoch up to the highest has one *)
Theorem every_epoch s d : reachable s -> known (msgs s) d -> forall n, n <= epoch d ->
  exists c, known (msgs s) c /\ epoch c = n.
Proof.
  intros RR. induction 1 as [|b q c d K IH E Hq W Es]; intros n L.
  - exists first; split; [constructor|lia].
  - destruct (Nat.eq_dec n (epoch d)) as [->|Ne]; [exists d; split; auto; econstructor; eauto|].
    apply IH. lia.
Qed.

(** two nodes that have installed the same epoch have installed the same configuration *)
Theorem installed_agree s a b : reachable s -> epoch (inst s a) = epoch (inst s b) -> inst s a = inst s b.
Proof. intros RR E. pose proof (safe_reachable _ RR) as I. eapply agreement; eauto using i_inst. Qed.
End Config.
