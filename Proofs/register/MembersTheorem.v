(** The invariant of Members.v holds in every reachable state, and so:

    - [members_linearizable]: a register that lives through any number of changes
      of membership (completed, resumed or abandoned), nodes that leave and enter
      again, erasure and fences is linearizable;
    - [no_lost_register]: what was chosen is an ancestor of all that is proposed
      later, in any epoch;
    - [ghosts_exist]: the ghosts asked for in [m_propose] and [m_rack] always
      exist, so they forbid nothing that the protocol allows. *)
From Coq Require Import List Arith Lia Bool.
From Synod Require Import Ballot Model Safety History Linearizable Members MembersGuard.
Import ListNotations.

Section Theorem_.
Context {Mem : Membership}.

Lemma step_prom s s' a : step s s' -> prom s a <<= prom s' a.
Proof. destruct 1; cbn; try order; unfold upd; destruct (A_dec a0 a); subst; order. Qed.
Lemma fenced_mono s s' e : (forall a, prom s a <<= prom s' a) -> fenced s e -> fenced s' e.
Proof.
  intros S F q Hq; destruct (F q Hq) as (a & ? & ?). exists a; split; auto.
  pose proof (ep_le _ _ (S a)). lia.
Qed.
Lemma tomb_mono s s' t v : (forall m, msgs s m -> msgs s' m) -> tomb s t v -> tomb s' t v.
Proof.
  intros M [?|(Z & C & Vt & Ab & F)]; [left; auto|right]. repeat split; auto.
  - eapply chosen_mono; eauto.
  - eapply valof_mono; eauto.
  - intros a Ha; destruct (F a Ha); eauto.
Qed.
Lemma erased_mono s s' m v f f' : (forall m, msgs s m -> msgs s' m) -> f <= f' -> erased s m v f -> erased s' m v f'.
Proof. intros M L (T & E & R). split; [eapply tomb_mono; eauto|split; auto; lia]. Qed.
Lemma opened_mono (K K' : nat -> Prop) e : (forall l, K l -> K' l) -> opened K e -> opened K' e.
Proof. intros H [?|?]; [left|right]; auto. Qed.

Lemma acc_zero s a : Safe s -> fst (acc s a) = zero -> snd (acc s a) = init.
Proof.
  intros S E. destruct (i_accv _ S a) as [->|W]; auto. exfalso. rewrite E in W.
  destruct (i_vote _ S _ _ _ W) as (_ & p & pv & P). destruct (i_prop _ S _ _ _ _ P) as (X & _). order.
Qed.
Lemma answer_some x a e f : Inv_ x -> Safe (co x) -> answer (co x) (gone x) (fl x) a e = Some f ->
  f = fl x a /\ (erased (co x) (fst (acc (co x) a)) (snd (acc (co x) a)) f \/ ep (fst (acc (co x) a)) < since a e)
  /\ (since a e <= ep (fst (acc (co x) a)) -> fst (acc (co x) a) = zero \/ gone x a = true).
Proof.
  intros I S. unfold answer. destruct (_ || _) eqn:E; [|discriminate]. intros X; inversion X; subst; split; auto.
  rewrite !orb_true_iff, beq_ok, Nat.ltb_lt in E. destruct E as [[E|E]|E]; [| |split; [auto|lia]].
  - split; auto. left. split; [left; split; auto; apply acc_zero; auto|]. rewrite E; split; auto.
    rewrite acc_zero; auto. rewrite init_revision; lia.
  - split; auto. left. apply (v_gone _ I); auto.
Qed.
Lemma answer_none x a e : answer (co x) (gone x) (fl x) a e = None ->
  fst (acc (co x) a) <> zero /\ since a e <= ep (fst (acc (co x) a)).
Proof.
  unfold answer. destruct (_ || _) eqn:E; [discriminate|]. intros _.
  rewrite !orb_false_iff, Nat.ltb_ge in E. destruct E as [[E ?] ?]. split; auto.
  intros Z. apply beq_ok in Z. congruence.
Qed.
Lemma promise_le_acc s a g m v y : Safe s -> msgs s (Promise a g m v y) -> m <<= fst (acc s a).
Proof.
  intros S P. destruct (i_prom _ S _ _ _ _ _ P) as (_ & _ & [[-> _]|W] & _); [apply zero_least|].
  apply (i_vote _ S _ _ _ W).
Qed.
Lemma reply_opened x a r g m v y : Inv_ x -> msgs (co x) (Reply a r g m v y) -> opened (K x) (ep g).
Proof.
  intros I R. destruct (Nat.eq_dec (ep g) 0) as [->|N]; [left; apply lo_zero|].
  destruct (v_rfence _ I _ _ _ _ _ _ R) as (m' & v' & y' & P); [lia|]. apply (v_popen _ I) in P. auto.
Qed.

(** what grows *)
Record Grows (x y : mst) : Prop := {
  w_msgs : forall m, msgs (co x) m -> msgs (co y) m;
  w_prom : forall a, prom (co x) a <<= prom (co y) a;
  w_K : forall l, K x l -> K y l;
  w_fl : forall a, fl x a <= fl y a;
  w_told : forall a l f, told x a l f -> told y a l f }.
Lemma grows x y : mstep x y -> Grows x y.
Proof.
  intros S. destruct (refines _ _ S) as [C|C].
  - split; intros; [eapply step_msgs; eauto|eapply step_prom; eauto|..];
      destruct S; cbn in *; auto; try lia; unfold upd; destruct (A_dec _ _); subst; lia.
  - split; intros; rewrite ?C; auto; try order;
      destruct S; cbn in *; auto; try lia; unfold upd; destruct (A_dec _ _); subst; lia.
Qed.

Ltac cases S := destruct S as
  [ s K G F T J c Zc Nc | s K G F T J a0 e Le Op | s K G F T J a0 g0 Eg Lg | s K G F T J a0 g0 Eg Lg
  | s K G F T J c p pv q p' v' Ic Nc Zc Hq Se Par | s K G F T J a0 c v0 p0 pv0 Pm Lc Ec Mc | s K G F T J c v0 p0 pv0
      Ch Pm
  | s K G F T J r0 Nr | s K G F T J a0 r0 Ir Er | s K G F T J r0 b0 v0 q b' w0 Ir Nr Hq Se Cov
  | s K G F T J a0 n Ln | s K G F T J a0 Tb Ev Eo | s K G F T J a0 l0 Ll | s K G F T J a0 l0 q Mq Tq
  | s K G F T J l0 f0 Nk El Lp Ch | s K G F T J l0 r0 q q20 Nk Od Er Mq Ans M2 Jq ]; cbn in *; unfold add in *.
Ltac old W := destruct W as [W|W]; [discriminate W|].
Ltac updc f a x a' :=
  let E := fresh "E" in let N := fresh "N" in
  destruct (upd_cases _ f a x a') as [[N E]|[N E]]; rewrite ?E in *.

Section Step.
Variables x y : mst.
Hypothesis I : Inv_ x.
Hypothesis RR : reachable (co x).
Hypothesis S : mstep x y.
Let Sf : Safe (co x) := safe_reachable _ RR.
Let Gr : Grows x y := grows _ _ S.

Lemma p_gone a : gone y a = true -> erased (co y) (fst (acc (co y) a)) (snd (acc (co y) a)) (fl y a).
Proof.
  pose proof (w_msgs _ _ Gr) as M. pose proof (w_fl _ _ Gr a) as Lf.
  assert (Old : gone x a = true -> erased (co y) (fst (acc (co x) a)) (snd (acc (co x) a)) (fl y a)).
  { intros G. eapply erased_mono; [exact M|exact Lf|]. apply (v_gone _ I); auto. }
  clear Gr. cases S; auto.
  - intros Ga. updc G a0 false a; [discriminate|]. updc (acc s) a0 (c, v0) a; [congruence|auto].
  - intros Ga. updc G a0 true a; [|auto]. subst a0. split; [exact Tb|split; [auto|]].
    updc F a (Nat.max (F a) (revision (snd (acc s a)))) a; [lia|congruence].
Qed.

Lemma p_prom a g m v f : msgs (co y) (Promise a g m v (Some f)) ->
  f <= fl y a /\ (erased (co y) m v f \/ ep m < since a (ep g)).
Proof.
  pose proof (w_msgs _ _ Gr) as M. pose proof (w_fl _ _ Gr a) as Lf. intros P.
  assert (Old : msgs (co x) (Promise a g m v (Some f)) -> f <= fl y a /\ (erased (co y) m v f \/ ep m < since a (ep
      g))).
  { intros O. destruct (v_prom _ I _ _ _ _ _ O) as (L & D). split; [lia|]. destruct D; auto. left. eapply
      erased_mono; eauto. }
  pose proof (answer_some x) as An. clear Gr.
  cases S; auto; try (old P; auto; fail); (destruct P as [P|P]; [|auto]); injection P; clear P; intros P -> -> -> ->.
  - destruct (An a0 e f I Sf (eq_sym P)) as (-> & D & _). cbn in *. split; auto.
    destruct D; auto. left. eapply erased_mono; [exact M| |eauto]; auto.
  - destruct (An a0 (ep g0) f I Sf (eq_sym P)) as (-> & D & _). cbn in *. split; auto.
    destruct D; auto. left. eapply erased_mono; [exact M| |eauto]; auto.
Qed.
Lemma p_reply a r g m v f : msgs (co y) (Reply a r g m v (Some f)) ->
  f <= fl y a /\ (erased (co y) m v f \/ ep m < since a (ep g)).
Proof.
  pose proof (w_msgs _ _ Gr) as M. pose proof (w_fl _ _ Gr a) as Lf. intros P.
  assert (Old : msgs (co x) (Reply a r g m v (Some f)) -> f <= fl y a /\ (erased (co y) m v f \/ ep m < since a (ep
      g))).
  { intros O. destruct (v_reply _ I _ _ _ _ _ _ O) as (L & D). split; [lia|]. destruct D; auto. left. eapply
      erased_mono; eauto. }
  pose proof (answer_some x) as An. clear Gr.
  cases S; auto; try (old P; auto; fail); (destruct P as [P|P]; [|auto]); injection P; clear P; intros P -> -> -> -> ->.
  destruct (An a0 (repoch r0) f I Sf (eq_sym P)) as (-> & D & _). cbn in *. split; auto. rewrite Er.
  destruct D; auto. left. eapply erased_mono; [exact M| |eauto]; auto.
Qed.
Lemma p_shown a g m v : msgs (co y) (Promise a g m v None) -> m <> zero /\ since a (ep g) <= ep m.
Proof.
  intros P. pose proof (v_shown _ I a g m v) as Old. pose proof (answer_none x) as An. clear Gr.
  cases S; auto; try (old P; auto; fail); (destruct P as [P|P]; [|auto]); injection P; clear P; intros P -> -> -> ->;
    apply (An a0 _ (eq_sym P)).
Qed.
Lemma p_seen a r g m v : msgs (co y) (Reply a r g m v None) -> m <> zero /\ since a (ep g) <= ep m.
Proof.
  intros P. pose proof (v_seen _ I a r g m v) as Old. pose proof (answer_none x) as An. clear Gr.
  cases S; auto; try (old P; auto; fail); (destruct P as [P|P]; [|auto]); injection P; clear P; intros P -> -> -> -> ->.
  rewrite Er. apply (An a0 _ (eq_sym P)).
Qed.
Lemma p_epoch a : opened (K y) (ep (prom (co y) a)).
Proof.
  pose proof (w_K _ _ Gr) as MK.
  assert (Old : opened (K y) (ep (prom (co x) a))) by (eapply opened_mono; [exact MK|apply (v_epoch _ I)]).
  clear Gr. cases S; auto.
  - updc (prom s) a0 (fence e) a; auto.
  - updc (prom s) a0 g0 a; subst; auto. rewrite Eg; auto.
  - updc (prom s) a0 g0 a; subst; auto. rewrite Eg; auto.
  - updc (prom s) a0 c a; subst; auto. rewrite Ec; auto.
Qed.
Lemma p_popen a g m v z : msgs (co y) (Promise a g m v z) -> opened (K y) (ep g).
Proof.
  pose proof (w_K _ _ Gr) as MK. intros P.
  assert (Old : msgs (co x) (Promise a g m v z) -> opened (K y) (ep g))
    by (intros O; eapply opened_mono; [exact MK|apply (v_popen _ I _ _ _ _ _ O)]).
  pose proof (v_epoch _ I) as Ep. clear Gr.
  cases S; auto; try (old P; auto; fail); (destruct P as [P|P]; [|auto]); injection P; clear P; intros _ _ _ -> ->;
      auto.
  rewrite Eg; auto.
Qed.
Lemma p_fence a : 0 < ep (prom (co y) a) -> exists m v z, msgs (co y) (Promise a (fence (ep (prom (co y) a))) m v z).
Proof.
  pose proof (w_msgs _ _ Gr) as M.
  assert (Old : 0 < ep (prom (co x) a) -> exists m v z, msgs (co y) (Promise a (fence (ep (prom (co x) a))) m v z)).
  { intros L. destruct (v_fence _ I _ L) as (m & v & z & P). eauto. }
  clear Gr. cases S; auto.
  - updc (prom s) a0 (fence e) a; subst; auto. intros _. do 3 eexists; left; reflexivity.
  - updc (prom s) a0 g0 a; subst; auto. rewrite <- Eg in Old; exact Old.
  - updc (prom s) a0 g0 a; subst; auto. rewrite <- Eg in Old; exact Old.
  - updc (prom s) a0 c a; subst; auto. rewrite <- Ec in Old; exact Old.
Qed.
Lemma p_rfence a r g m v z : msgs (co y) (Reply a r g m v z) -> 0 < ep g ->
  exists m v z, msgs (co y) (Promise a (fence (ep g)) m v z).
Proof.
  pose proof (w_msgs _ _ Gr) as M. intros P.
  assert (Old : msgs (co x) (Reply a r g m v z) -> 0 < ep g -> exists m v z, msgs (co y) (Promise a (fence (ep g)) m
      v z)).
  { intros O L. destruct (v_rfence _ I _ _ _ _ _ _ O L) as (m' & v' & z' & Q). eauto. }
  pose proof (v_fence _ I a) as Fe. clear Gr.
  cases S; auto; try (old P; auto; fail); (destruct P as [P|P]; [|auto]); injection P; clear P; intros _ _ _ -> -> ->.
  intros L. destruct (Fe L) as (m' & v' & z' & Q). eauto.
Qed.
Lemma p_memb a b v : msgs (co y) (Vote a b v) -> member (ep b) a.
Proof.
  intros W. pose proof (v_memb _ I a b v) as Old. clear Gr.
  cases S; auto; try (old W; auto; fail). destruct W as [W|W]; [injection W; intros; subst; auto|auto].
Qed.
Lemma p_repoch a r g m v z : msgs (co y) (Reply a r g m v z) -> ep g = repoch r /\ g <<= prom (co y) a /\ m <<= g /\
  (forall b w, msgs (co y) (Vote a b w) -> b <<= m \/ g <<= b) /\
  (forall g' m' v' z', msgs (co y) (Promise a g' m' v' z') -> g' <<= g -> m' <<= m).
Proof.
  intros R. pose proof (w_prom _ _ Gr a) as Lpr.
  assert (Old : msgs (co x) (Reply a r g m v z) -> ep g = repoch r /\ g <<= prom (co x) a /\ m <<= g /\
    (forall b w, msgs (co x) (Vote a b w) -> b <<= m \/ g <<= b) /\
    (forall g' m' v' z', msgs (co x) (Promise a g' m' v' z') -> g' <<= g -> m' <<= m))
    by (intros; eapply (v_repoch _ I); eauto).
  pose proof (fun g m v z => promise_le_acc (co x) a g m v z Sf) as Pa.
  pose proof (fun b w => i_vote _ Sf a b w) as Va. pose proof (i_acc _ Sf a) as Ia. clear Gr.
  cases S; try (apply Old in R; exact R); try (old R; destruct (Old R) as (? & ? & ? & V1 & P1));
    try (destruct (Old R) as (? & ? & ? & V1 & P1));
    try (split; [auto|split; [try order|split; [auto|split; [intros ? ? X; old X; eauto|intros ? ? ? ? X Y; old X;
        eauto]]]]; fail).
  - split; [auto|split; [order|split; [auto|split]]].
    + intros ? ? X; old X; eauto.
    + intros ? ? ? ? [X|X] Y; [|eauto]. injection X; intros; subst.
      assert (prom s a0 << fence e) by (apply fence_lt; auto). order.
  - split; [auto|split; [order|split; [auto|split]]].
    + intros ? ? X; old X; eauto.
    + intros ? ? ? ? [X|X] Y; [|eauto]. injection X; intros; subst. order.
  - split; [auto|split; [order|split; [auto|split; [eauto|eauto]]]].
  - split; [auto|split; [order|split; [auto|split]]].
    + intros ? ? [X|X]; [|eauto]. injection X; intros; subst. right; order.
    + intros ? ? ? ? X Y; old X; eauto.
  - destruct R as [R|R].
    + injection R; clear R; intros; subst. split; [auto|split; [order|split; [auto|split]]].
      * intros ? ? X; old X. left. apply (Va _ _ X).
      * intros ? ? ? ? X Y; old X; eauto.
    + destruct (Old R) as (? & ? & ? & V1 & P1). split; [auto|split; [auto|split; [auto|split]]].
      * intros ? ? X; old X; eauto.
      * intros ? ? ? ? X Y; old X; eauto.
Qed.

Lemma p_told a l f : told y a l f -> l <= ep (prom (co y) a) /\ f <= fl y a /\ opened (K y) l /\
  (gone y a = true -> ep (fst (acc (co y) a)) < l -> revision (snd (acc (co y) a)) <= f) /\
  (forall r g m v f', msgs (co y) (Reply a r g m v (Some f')) -> l <= ep g -> ep m < l ->
     since a (ep g) <= ep m -> revision v <= f).
Proof.
  intros W. pose proof (ep_le _ _ (w_prom _ _ Gr a)) as Lpr. pose proof (w_fl _ _ Gr a) as Lf.
  pose proof (w_K _ _ Gr) as MK.
  assert (At : told x a l f \/ (l = ep (prom (co x) a) /\ f = fl x a /\ co y = co x /\ gone y = gone x)).
  { clear Gr Lpr Lf MK. cases S; auto. destruct W as [(-> & -> & ->)|W]; auto. }
  assert (Old : l <= ep (prom (co x) a) /\ f <= fl x a /\ opened (K x) l /\
    (gone x a = true -> ep (fst (acc (co x) a)) < l -> revision (snd (acc (co x) a)) <= f) /\
    (forall r g m v f', msgs (co x) (Reply a r g m v (Some f')) -> l <= ep g -> ep m < l ->
       since a (ep g) <= ep m -> revision v <= f)).
  { destruct At as [At|(-> & -> & _)]; [apply (v_told _ I); auto|].
    split; [auto|split; [auto|split; [apply (v_epoch _ I)|split]]].
    - intros G _. apply (v_gone _ I _ G).
    - intros r g m v f' R _ _ Sn. destruct (v_reply _ I _ _ _ _ _ _ R) as (L & [(_ & _ & X)|X]); lia. }
  clear At W. destruct Old as (L1 & L2 & L3 & L4 & L5).
  split; [lia|split; [lia|split; [eapply opened_mono; eauto|split]]].
  - clear L5 Lf Lpr MK Gr. cases S; auto.
    + intros Ga. updc G a0 false a; [discriminate|]. updc (acc s) a0 (c, v0) a; [congruence|auto].
    + intros Ga. updc G a0 true a; [|auto]. subst a0. lia.
  - intros r g m v f' R. pose proof (answer_some x) as An. clear Lf Lpr MK Gr.
    pose proof (L5 r g m v f') as Old.
    cases S; auto; try (old R; auto; fail). destruct R as [R|R]; [|auto].
    injection R; clear R; intros R -> -> -> -> ->. clear Old. rewrite Er. intros X1 X2 X3.
    destruct (An a0 (repoch r0) f' I Sf (eq_sym R)) as (-> & _ & [E|E]); auto.
    cbn in E. rewrite (acc_zero _ _ Sf E), init_revision; lia.
Qed.
Lemma p_joined a l : joined y a l -> exists q, Maj (old l) q /\ forall a', q a' -> exists f, told y a' l f /\ f <= fl
    y a.
Proof.
  intros W. pose proof (w_fl _ _ Gr a) as Lf. pose proof (w_told _ _ Gr) as MT.
  assert (Old : joined x a l -> exists q, Maj (old l) q /\ forall a', q a' -> exists f, told y a' l f /\ f <= fl y a).
  { intros O. destruct (v_joined _ I _ _ O) as (q & M & H). exists q; split; auto.
    intros a' qa. destruct (H a' qa) as (f & ? & ?). exists f; split; auto. lia. }
  clear Gr. cases S; auto. destruct W as [[-> ->]|W]; eauto.
Qed.
Lemma p_cross cb vb pb pvb : msgs (co y) (Propose cb vb pb pvb) -> forall e, e < ep cb -> fenced (co y) e.
Proof.
  intros W eb L. pose proof (w_prom _ _ Gr) as MP. apply (fenced_mono (co x)); auto.
  assert (Old : msgs (co x) (Propose cb vb pb pvb) -> fenced (co x) eb) by (intros; eapply (v_cross _ I); eauto).
  clear MP Gr. cases S; auto; try (old W; auto; fail). destruct W as [W|W]; [|auto].
  injection W; intros; subst. eapply (proposals_fence _ c q I); eauto. eapply sees_answers; eauto.
Qed.

Ltac bcons K := apply before_cons in K; destruct K as [[? K]|K].
Lemma p_rcross z b r : done z b -> Before (hist (co y)) z (RInv r) -> forall eb qb, eb < ep b -> quorum eb qb ->
  exists a, qb a /\ eb < ep (prom (co y) a) /\ forall g m v w, msgs (co y) (Reply a r g m v w) -> eb < ep g.
Proof.
  intros D Bf eb qb L Hqb. pose proof (fun a => ep_le _ _ (w_prom _ _ Gr a)) as MP.
  assert (Old : Before (hist (co x)) z (RInv r) -> exists a, qb a /\ eb < ep (prom (co x) a) /\ eb < ep (prom (co y)
      a) /\
    forall g m v w, msgs (co x) (Reply a r g m v w) -> eb < ep g).
  { intros O. destruct (v_rcross _ I _ _ _ D O _ _ L Hqb) as (a & ? & X & ?). exists a; repeat split; auto.
    pose proof (MP a); lia. }
  pose proof (hist_reachable _ RR) as HH. pose proof (v_cross _ I) as Cr. clear MP Gr.
  cases S; try (bcons Bf; [try discriminate|]);
    try (destruct (Old Bf) as (a & ? & ? & ? & X); exists a; repeat split; auto;
         intros ? ? ? ? Y; try old Y; eauto; fail).
  - match goal with E : RInv _ = RInv _ |- _ => inversion E; subst end.
    pose proof (done_chosen _ _ _ HH D Bf) as Cb.
    destruct (chosen_known _ _ Sf Cb) as [->|(v & p & pv & P)]; [cbn in L; lia|].
    destruct (Cr _ _ _ _ P _ L _ Hqb) as (a & ? & ?). exists a; repeat split; auto.
    intros ? ? ? ? Y. exfalso; apply Nr; eapply h_reply; eauto.
  - destruct (Old Bf) as (a & ? & ? & ? & X). exists a; repeat split; auto.
    intros ? ? ? ? [Y|Y]; [injection Y; intros; subst; auto|eauto].
Qed.

Lemma blocked_grows b : blocked (co x) b -> blocked (co y) b.
Proof. intros; eapply blocked_mono; [apply (w_msgs _ _ Gr)|auto]. Qed.

(** what a joint epoch was settled by stays true *)
Lemma settled_old l : K x l -> 0 < l /\ (forall e, e < l -> fenced (co y) e) /\
  (by_value (co y) l \/ by_absence (co y) (fl y) (told y) l).
Proof.
  intros O. destruct (v_settled _ I _ O) as (L & F & D).
  pose proof (w_msgs _ _ Gr) as M. pose proof (w_fl _ _ Gr) as Lf.
  split; [auto|split]; [intros e Le; eapply fenced_mono; [apply (w_prom _ _ Gr)|auto]|].
  assert (Acc : forall a b v, msgs (co x) (Vote a b v) -> b <<= fst (acc (co x) a)) by (intros a b v W; apply (i_vote
      _ Sf _ _ _ W)).
  destruct D as [(f & qf & Ef & Mj & V0)|(t & w & q2 & Tt & Lt & B & Mb & Mj & V0)]; [left|right].
  - exists f, qf. split; [auto|split; [auto|]]. intros a qa. destruct (V0 a qa) as ((v & W) & R0).
    split; [eauto|]. specialize (Acc _ _ _ W). clear Gr Lf M F.
    cases S; auto; try (intros ? ? ? ? ? Y; old Y; eauto; fail).
    intros ? ? ? ? ? [Y|Y] E; [|eauto]. injection Y; intros; subst. auto.
  - exists t, w, q2. split; [eapply tomb_mono; eauto|split; [auto|split; [|split; [|split; [auto|]]]]].
    + intros b L1 L2. apply blocked_grows; auto.
    + intros a Ma Nz. destruct (tomb_full _ _ _ _ Tt Ma Nz) as [v W]. specialize (Acc _ _ _ W).
      specialize (Mb a Ma Nz). clear Gr Lf M B F V0.
      cases S; auto; try (intros ? ? ? ? ? Y; old Y; eauto; fail).
      intros ? ? ? ? ? [Y|Y] E; [|eauto]. injection Y; intros; subst. auto.
    + intros a qa. destruct (V0 a qa) as (R0 & R1 & R2 & R3). pose proof (Lf a).
      split; [lia|]. pose proof (answer_some x) as An.
      clear Gr Lf M B F V0 Mb. split; [|split].
      * cases S; auto; try (intros ? ? ? ? Y; old Y; eauto; fail);
          (intros ? ? ? f [Y|Y] E; [|eauto]); injection Y; clear Y; intros Y; intros; subst;
          destruct (An a0 _ f I Sf (eq_sym Y)) as (-> & _); auto.
      * cases S; auto; try (intros ? ? ? ? ? Y; old Y; eauto; fail).
        intros ? ? ? ? f [Y|Y] E; [|eauto]. injection Y; clear Y; intros Y; intros; subst.
        destruct (An a0 _ f I Sf (eq_sym Y)) as (-> & _); auto.
      * cases S; auto. intros l' f [(-> & -> & ->)|Y] E; eauto.
Qed.

(** before it is settled, nobody is in an epoch that builds on it *)
Lemma unopened l e : ~ K x l -> 0 < l -> lo e = l -> opened (K x) e -> False.
Proof. intros N L E [O|O]; [lia|rewrite E in O; auto]. Qed.

Lemma settle_by_value l f : ~ K x l -> ep f = l -> 0 < l -> chosen (co x) f ->
  by_value (co x) l /\ forall e, e < l -> fenced (co x) e.
Proof.
  intros N E L C. assert (Nz : f <> zero) by (intros ->; cbn in E; lia).
  split.
  - destruct C as [?|(q & Hq & _ & W)]; [congruence|]. apply Q_is in Hq. rewrite E in Hq.
    exists f, q. split; [auto|split; [auto|]]. intros a qa. split; [auto|].
    intros r g m v z R El. exfalso. eapply unopened; eauto. eapply reply_opened; eauto.
  - destruct (chosen_known _ _ Sf C) as [?|(v & p & pv & P)]; [congruence|].
    intros e Le. eapply (v_cross _ I); eauto. lia.
Qed.

Lemma settle_by_absence l r q q2 : ~ K x l -> Nat.odd l = true -> repoch r = l ->
  Maj (old l) (fun a => In a q) ->
  (forall a, In a q -> exists g m v f, msgs (co x) (Reply a r g m v (Some f))) ->
  Maj (surv l) q2 -> (forall a, q2 a -> joined x a l) ->
  0 < l /\ by_absence (co x) (fl x) (told x) l /\ forall e, e < l -> fenced (co x) e.
Proof.
  intros N Od Er Mq Ans M2 Jq.
  assert (L : 0 < l) by (destruct l; [discriminate Od|lia]). pose proof (lo_lt _ L) as Lo.
  assert (Eg : forall a g m v z, msgs (co x) (Reply a r g m v z) -> ep g = l).
  { intros a g m v z R. destruct (v_repoch _ I _ _ _ _ _ _ R) as (-> & _). auto. }
  assert (O : opened (K x) l).
  { destruct (Maj_meet _ _ _ Mq Mq) as (a & _ & qa & _). destruct (Ans a qa) as (g & m & v & f & R).
    rewrite <- (Eg _ _ _ _ _ R). eapply reply_opened; eauto. }
  assert (Meet : forall e q', lo l <= e < l -> Maj (surv e) q' -> exists a, isin (surv e) a /\ In a q /\ q' a).
  { intros e q' X M. rewrite (old_lo _ _ Od X) in *. apply (Maj_meet _ _ _ Mq M). }
  set (Rep := fun a m v z => In a q /\ exists g, msgs (co x) (Reply a r g m v z)).
  set (P := fun (a : A) (m : ballot) (v : V) (z : option nat) => exists f, z = Some f).
  destruct (view_exists x l q Rep P (told_enough x l) Sf) as (T & w & Tt & Te & Al & Low & _ & Src).
  { intros q' M. apply Meet; auto. }
  { intros a qa. destruct (Ans a qa) as (g & m & v & f & R). exists m, v, (Some f). split; [split; eauto|exists f;
      auto]. }
  { intros a m v f [_ [g R]]. destruct (v_reply _ I _ _ _ _ _ _ R) as (_ & D). rewrite (Eg _ _ _ _ _ R) in D. auto. }
  { apply settled_replies; auto. }
  specialize (Src ltac:(intros a m v (f & E); discriminate)).
  assert (LT : ep T < l).
  { destruct Src as [->|[(Lt & a & v & f & qa & [_ [g R]] & (_ & Ev & _))|[E3 _]]]; [cbn; lia| |].
    - destruct (v_repoch _ I _ _ _ _ _ _ R) as (_ & _ & Mg & _). apply ep_le in Mg. rewrite (Eg _ _ _ _ _ R) in Mg.
      assert (ep T <> l); [|lia]. intros X. rewrite X in Ev. unfold Nat.odd in Od. rewrite Ev in Od; discriminate.
    - destruct E3 as [?| ->]; [lia|cbn; lia]. }
  split; [auto|split].
  - exists T, w, q2. split; [auto|split; [auto|split; [|split; [|split; [auto|]]]]].
    + intros b L1 L2. destruct (le_lt_dec (lo l) (ep b)) as [X|X].
      * intros q' Hq'. apply Q_is in Hq'. destruct (Meet _ _ (conj X L2) Hq') as (a & Ia & qa & qa').
        destruct (Al a qa) as (m & v & z & [_ [g R]] & (f & ->) & D). pose proof (Eg _ _ _ _ _ R) as E.
        destruct (v_rfence _ I _ _ _ _ _ _ R ltac:(lia)) as (m0 & v0 & z0 & Pf). rewrite E in Pf.
        destruct (v_repoch _ I _ _ _ _ _ _ R) as (_ & _ & _ & _ & Pm).
        assert (M0 : m0 <<= m) by (eapply Pm; [exact Pf|apply fence_le; lia]).
        exists a, (fence l), m0, v0, z0. split; [auto|split; [auto|split; [|apply fence_lt; auto]]].
        destruct D as [D|[D|D]]; [discriminate|order|].
        pose proof (since_in a l (ep b) ltac:(lia) Ia). assert (m << b) by (apply ep_lt; lia). order.
      * apply (Low b zero); auto; [intros a m v _ (f & E); discriminate|]. pose proof (zero_least T); order.
    + intros a Ma Nz r' g m v z R E. exfalso. eapply unopened; eauto. eapply reply_opened; eauto.
    + intros a qa. split; [|split; [|split]].
      * destruct (v_joined _ I _ _ (Jq a qa)) as (q1 & M1 & T1).
        destruct Src as [->|[(Lt & a2 & v2 & f2 & qa2 & _ & Er2)|(_ & q3 & M3 & Ex)]].
        -- destruct Tt as [[_ ->]|(X & _)]; [rewrite init_revision; lia|order].
        -- assert (Xl : lo l <= ep T < l) by lia.
           destruct (Maj_meet _ _ _ Mq M1) as (a1 & Ia & qa1 & qa1').
           assert (Is : isin (surv (ep T)) a1) by (rewrite (old_lo _ _ Od Xl); auto).
           destruct (T1 a1 qa1') as (f & Tf & Lf). destruct (v_told _ I _ _ _ Tf) as (_ & _ & _ & _ & V5).
           destruct (ballot_dec T zero) as [->|Nz].
           { destruct Tt as [[_ ->]|(X & _)]; [rewrite init_revision; lia|order]. }
           destruct (tomb_full _ _ _ _ Tt (surv_member _ _ Is) Nz) as [u W].
           destruct (Al a1 qa1) as (m & v & z & [_ [g R]] & (f' & ->) & D). pose proof (Eg _ _ _ _ _ R) as E.
           destruct (v_repoch _ I _ _ _ _ _ _ R) as (_ & _ & _ & Vv & _).
           assert (Tm : T <<= m).
           { destruct (Vv _ _ W) as [?|X]; auto. apply ep_le in X. lia. }
           pose proof (since_in a1 l (ep T) ltac:(lia) Is) as Sn. pose proof (ep_le _ _ Tm) as Em.
           assert (m = T) as -> by (destruct D as [D|[D|D]]; [discriminate|order|lia]).
           assert (v = w) as ->.
           { eapply valof_uniq; [exact Sf| |eapply tomb_valof; eauto].
             destruct (i_reply _ Sf _ _ _ _ _ _ R) as [[? _]|W']; [congruence|].
             right. destruct (i_vote _ Sf _ _ _ W') as (_ & ? & ? & ?); eauto. }
           rewrite <- E in Sn. pose proof (V5 _ _ _ _ _ R ltac:(lia) ltac:(lia) Sn). lia.
        -- rewrite (old_lo _ (lo l) Od ltac:(lia)) in M3.
           destruct (Maj_meet _ _ _ M3 M1) as (a1 & _ & q31 & q11). destruct (T1 a1 q11) as (f & Tf & Lf).
           pose proof (Ex a1 l f q31 Tf eq_refl). lia.
      * intros g m v f Pm E. exfalso. eapply unopened; eauto. eapply (v_popen _ I); eauto.
      * intros r' g m v f R E. exfalso. eapply unopened; eauto. eapply reply_opened; eauto.
      * intros l' f Tf E. exfalso. eapply (unopened l l'); eauto. apply (v_told _ I _ _ _ Tf).
  - intros e Le q' Hq'. destruct (le_lt_dec (lo l) e) as [X|X].
    + destruct (Meet e q' (conj X Le) (quorum_of_surv _ _ Hq')) as (a & _ & qa & qa'). exists a; split; auto.
      destruct (Ans a qa) as (g & m & v & f & R). destruct (v_repoch _ I _ _ _ _ _ _ R) as (_ & Lp & _).
      apply ep_le in Lp. rewrite (Eg _ _ _ _ _ R) in Lp. lia.
    + destruct O as [O|O]; [lia|]. destruct (v_settled _ I _ O) as (_ & F & _). apply F; auto.
Qed.

Lemma p_settled l : K y l -> 0 < l /\ (forall e, e < l -> fenced (co y) e) /\
  (by_value (co y) l \/ by_absence (co y) (fl y) (told y) l).
Proof.
  intros W. pose proof (settled_old l) as Old. pose proof (settle_by_value l) as Va.
  pose proof (settle_by_absence l) as Ab. clear Gr.
  cases S; auto; (destruct W as [->|W]; [|auto]).
  - destruct (Va f0 Nk El Lp Ch); auto.
  - destruct (Ab r0 q q20 Nk Od Er Mq Ans M2 Jq) as (? & ? & ?); auto.
Qed.
Theorem inv_step : Inv_ y.
Proof.
  split; [apply p_gone|apply p_prom|apply p_shown|apply p_reply|apply p_seen|apply p_repoch|apply p_epoch|apply p_popen
    |apply p_fence|apply p_rfence|apply p_memb|apply p_told|apply p_joined|apply p_settled|apply p_cross|apply
        p_rcross].
Qed.
End Step.

Lemma inv_init : Inv_ (M_ s0 (fun _ => False) (fun _ => false) (fun _ => 0) (fun _ _ _ => False) (fun _ _ => False)).
Proof.
  split; cbn; intros; try contradiction; try discriminate; try lia.
  - left; apply lo_zero.
  - match goal with H : Before [] _ _ |- _ => destruct (before_in _ _ _ H) as [[] _] end.
Qed.
Theorem m_reachable x : mreachable x -> reachable (co x) /\ Inv_ x.
Proof.
  induction 1 as [|x y _ [RR I] S]; [split; [constructor|apply inv_init]|].
  split; [|eapply inv_step; eauto]. destruct (refines _ _ S) as [X| ->]; auto. econstructor; eauto.
Qed.

Theorem members_linearizable x : mreachable x -> linearizable (hist (co x)).
Proof. intros H. apply linearizability, m_reachable; auto. Qed.

Theorem no_lost_register x b c : mreachable x -> chosen (co x) b -> known (co x) c -> b <<= c -> anc (co x) b c.
Proof. intros H. apply descent, m_reachable; auto. Qed.

Theorem ghosts_exist x : mreachable x ->
  (forall c p pv q, zero << c -> quorum (ep c) (fun a => In a q) -> sees (co x) c p pv q ->
     exists p' v', parent (co x) c pv p' v') /\
  (forall r b v q, quorum (repoch r) (fun a => In a q) -> rsees (co x) r b v q ->
     exists b' w, covers (co x) r b' w v).
Proof.
  intros H. destruct (m_reachable _ H) as [RR I]. split; intros.
  - eapply parent_exists; eauto. apply safe_reachable; auto.
  - eapply read_exists; eauto.
Qed.

(** R13, R14: what was erased was a tombstone that every member of its epoch had accepted, and the floor
    of whoever erased it is at least its revision *)
Theorem erased_is_tombstone x a : mreachable x -> gone x a = true ->
  erased (co x) (fst (acc (co x) a)) (snd (acc (co x) a)) (fl x a).
Proof. intros H. apply v_gone, m_reachable; auto. Qed.
End Theorem_.
