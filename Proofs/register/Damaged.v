(** Damaged records, the reserve, and catching up (PROTOCOL, A damaged record;
    Catching up): a layer on Members.v.

    - [damaged_linearizable]: with records that are lost at any time, and nodes
      that abstain as PROTOCOL.md says, the register is linearizable;
    - [relay_is_a_copy]: a cell that a peer relays was proposed, so to accept it
      is [m_vote], a step of the model already.

    How to read it.  When node a's record is damaged, what it promised and
    accepted stays in the model's state as ghosts, and the node may do only what
    does not look at them: no promise, no answer to a read, no erasure
    ([abstains]); it installs epochs, which are the node's and not the record's;
    and it accepts above the ballot [r] that was its reserve when the damage was
    found ([d_heal], whose guard asks for nothing that was lost).  [res a], the
    reserve, is persisted ahead of every promise and accept ([within]).
    [ControlsEpochs.without_abstention_not_linearizable] is the run without all this. *)
From Coq Require Import List Arith Lia Bool.
From Synod Require Import Ballot Model Safety History Linearizable Members MembersGuard MembersTheorem.
Import ListNotations.

Section Damaged.
Context {Mem : Membership}.

Record dst := D_ {
  whole_ : mst;
  res : A -> ballot;                             (* the reserve, ahead of the disk's promises *)
  dam : A -> option ballot }.                    (* damaged: pinned to this reserve           *)

(** the record says nothing, and changes nothing *)
Definition abstains (x y : mst) a := prom (co y) a = prom (co x) a /\ acc (co y) a = acc (co x) a /\
  gone y a = gone x a /\
  (forall g m v z, msgs (co y) (Promise a g m v z) -> msgs (co x) (Promise a g m v z)) /\
  (forall r g m v z, msgs (co y) (Reply a r g m v z) -> msgs (co x) (Reply a r g m v z)) /\
  (forall b v, msgs (co y) (Vote a b v) -> msgs (co x) (Vote a b v)).
Definition within (x : mst) (r : A -> ballot) a := fst (acc (co x) a) <<= r a /\
  (prom (co x) a <<= r a \/ prom (co x) a = fence (ep (prom (co x) a))).

Inductive dstep : dst -> dst -> Prop :=
| d_step x y r d : mstep x y -> (forall a, dam (D_ x r d) a <> None -> abstains x y a) ->
    (forall a, within y r a) -> dstep (D_ x r d) (D_ y r d)
| d_reserve x r d a g : r a <<= g -> dstep (D_ x r d) (D_ x (upd r a g) d)
| d_damage x r d a : d a = None -> dstep (D_ x r d) (D_ x r (upd d a (Some (r a))))
| d_install s K G F T J r d a e p : d a = Some p -> ep (prom s a) < e -> opened K e ->    (* R11: the node's own *)
    dstep (D_ (M_ s K G F T J) r d) (D_ (M_ (St (upd (prom s) a (fence e)) (acc s)
      (add (Promise a (fence e) (fst (acc s a)) (snd (acc s a)) (answer s G F a e)) (msgs s)) (hist s)) K G F T J) r d)
| d_heal s K G F T J r d a c v p pv q : d a = Some q -> msgs s (Propose c v p pv) ->
    ep c = ep (prom s a) -> member (ep c) a -> q << c -> c <<= r a ->
    dstep (D_ (M_ s K G F T J) r d)
      (D_ (M_ (St (upd (prom s) a c) (upd (acc s) a (c, v)) (add (Vote a c v) (msgs s)) (hist s)) K (upd G a false) F T J)
        r (upd d a None))
| d_drop x r d a q : d a = Some q -> ep q < since a (ep (prom (co x) a)) ->      (* it enters again: dropped *)
    dstep (D_ x r d) (D_ x r (upd d a None)).
Inductive dreachable : dst -> Prop :=
| dr_init : dreachable (D_ (M_ s0 (fun _ => False) (fun _ => false) (fun _ => 0) (fun _ _ _ => False) (fun _ _ =>
    False)) (fun _ => zero) (fun _ => None))
| dr_step x y : dreachable x -> dstep x y -> dreachable y.

(** what holds of a damaged record's ghosts: the reserve covers them, but for the node's own fence *)
Definition covered (x : dst) := (forall a, within (whole_ x) (res x) a) /\
  forall a q, dam x a = Some q -> fst (acc (co (whole_ x)) a) <<= q /\
    (prom (co (whole_ x)) a <<= q \/ prom (co (whole_ x)) a = fence (ep (prom (co (whole_ x)) a))).

Ltac at_node a a0 := let E := fresh in destruct (A_dec a0 a) as [E|E]; [subst|].
Lemma covered_step x y : covered x -> dstep x y -> covered y.
Proof.
  intros [Wi Co]. destruct 1 as [x y r d S Ab Wy|x r d a g L|x r d a N|s K G F T J r d a e p Da L O|
    s K G F T J r d a c v p pv q Da P E M L Lr|x r d a q Da L]; split; cbn in *; auto.
  - intros a q Da. destruct (Ab a) as (Ep & Ea & _); [congruence|]. rewrite Ep, Ea. auto.
  - intros a0. unfold within in *; cbn in *. destruct (Wi a0) as [A1 A2]. unfold upd. destruct (A_dec a a0) as [->|]; auto.
    split; [order|]. destruct A2; [left; order|auto].
  - intros a0 q. unfold upd. destruct (A_dec a a0) as [->|]; [|auto].
    intros X; injection X; intros <-. apply (Wi a0).
  - intros a0. unfold within in *; cbn in *. unfold upd. destruct (Wi a0) as [A1 A2].
    destruct (A_dec a a0) as [->|]; auto.
  - intros a0 q Dq. unfold upd. destruct (Co a0 q Dq) as [A1 A2]. destruct (A_dec a a0) as [->|]; auto.
  - intros a0. unfold within in *; cbn in *. unfold upd. destruct (Wi a0) as [A1 A2].
    destruct (A_dec a a0) as [->|]; auto.
  - intros a0 q0. unfold upd. destruct (A_dec a a0) as [->|]; [discriminate|auto].
  - intros a0 q0. unfold upd. destruct (A_dec a a0) as [->|]; [discriminate|auto].
Qed.
Lemma damaged_covered x : dreachable x -> covered x.
Proof.
  induction 1 as [|x y _ IH S]; [|eapply covered_step; eauto].
  split; cbn; [intros a; unfold within; cbn; split; [|left]; order|discriminate].
Qed.

(** each step of the layer is a step of Members.v, or none *)
Lemma layer x y : covered x -> dstep x y -> whole_ y = whole_ x \/ mstep (whole_ x) (whole_ y).
Proof.
  intros [_ Co]. destruct 1 as [x y r d S Ab Wy|x r d a g L|x r d a N|s K G F T J r d a e p Da L O|
    s K G F T J r d a c v p pv q Da P E M L Lr|x r d a q Da L]; cbn in *; auto; right.
  - apply m_install; auto.
  - eapply m_vote; eauto. destruct (Co _ _ Da) as [_ [X|X]]; [order|].
    rewrite X. apply fence_le. lia.
Qed.
Theorem damaged_is_a_run x : dreachable x -> mreachable (whole_ x).
Proof.
  induction 1 as [|x y R IH S]; [constructor|].
  destruct (layer _ _ (damaged_covered _ R) S) as [->|X]; auto. econstructor; eauto.
Qed.
Theorem damaged_linearizable x : dreachable x -> linearizable (hist (co (whole_ x))).
Proof. intros R. apply members_linearizable, damaged_is_a_run; auto. Qed.

(** a damaged record that is dropped shows as no record, whatever was in it *)
Theorem dropped_is_absent x a q e : dreachable x -> dam x a = Some q -> ep q < since a e ->
  answer (co (whole_ x)) (gone (whole_ x)) (fl (whole_ x)) a e = Some (fl (whole_ x) a).
Proof.
  intros R D L. destruct (damaged_covered _ R) as [_ Co]. destruct (Co _ _ D) as [X _]. apply ep_le in X.
  unfold answer. replace (ep (fst (acc (co (whole_ x)) a)) <? since a e) with true; [rewrite orb_true_r; auto|].
  symmetry. apply Nat.ltb_lt. lia.
Qed.

(** ** Catching up: what a peer holds was proposed, so a relayed accept is a late copy *)
Theorem relay_is_a_copy x a : mreachable x -> fst (acc (co x) a) <> zero ->
  exists p pv, msgs (co x) (Propose (fst (acc (co x) a)) (snd (acc (co x) a)) p pv).
Proof.
  intros R N. pose proof (safe_reachable _ (proj1 (m_reachable _ R))) as S.
  destruct (i_accv _ S a) as [E|W]; [rewrite E in N; cbn in N; congruence|]. apply (i_vote _ S _ _ _ W).
Qed.
Theorem relay_is_a_step s K G F T J a a' : mreachable (M_ s K G F T J) -> let '(c, v) := acc s a' in
  c <> zero -> prom s a <<= c -> ep c = ep (prom s a) -> member (ep c) a ->
  mstep (M_ s K G F T J) (M_ (St (upd (prom s) a c) (upd (acc s) a (c, v)) (add (Vote a c v) (msgs s)) (hist s))
    K (upd G a false) F T J).
Proof.
  intros R. pose proof (relay_is_a_copy _ a' R) as C. cbn in C. destruct (acc s a') as [c v]. intros N L E M.
  destruct (C N) as (p & pv & P). eapply m_vote; eauto.
Qed.
End Damaged.
