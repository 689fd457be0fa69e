(** What a quorum's answers prove: in every state that satisfies the invariant of
    Members.v, whoever follows the rules finds a true parent ([parent_exists]) and
    a read finds its place ([read_exists]).  [view] is what both have in common:
    the highest erased tombstone T among the answers and the one that settled the
    last completed joint epoch. *)
From Coq Require Import List Arith Lia Bool.
From Synod Require Import Ballot Model Safety History Members.
Import ListNotations.

Section Guard.
Context {Mem : Membership}.

Lemma lo_le e : lo e <= lo e <= e.
Proof. destruct e as [|n]; [rewrite lo_zero; lia|pose proof (lo_lt (S n)); lia]. Qed.
Lemma lo_pos e : 0 < lo e -> lo e < e.
Proof. destruct e as [|n]; [rewrite lo_zero; lia|intros _; apply lo_lt; lia]. Qed.
Lemma quorum_surv e e' q q' : quorum e q -> lo e <= e' <= e -> Maj (surv e') q' ->
  exists a, isin (surv e') a /\ q a /\ q' a.
Proof.
  intros [H1 H2] L M. destruct (surv_lo _ _ L) as [E|E]; rewrite E in *; eapply Maj_meet; eauto.
Qed.
Lemma quorum_of_surv e q : quorum e q -> Maj (surv e) q.
Proof. intros [H1 H2]; destruct (surv_here e) as [->| ->]; auto. Qed.
Lemma quorum_quorum e e' q q' : quorum e q -> quorum e' q' -> lo e <= e' <= e -> exists a, q a /\ q' a.
Proof.
  intros H H' L. destruct (quorum_surv _ _ _ _ H L (quorum_of_surv _ _ H')) as (a & _ & ? & ?); eauto.
Qed.
Lemma quorum_some e q : quorum e (fun a => In a q) -> exists a, In a q.
Proof. intros [H _]. destruct (Maj_meet _ _ _ H H) as (a & _ & ? & _); eauto. Qed.

Lemma tomb_chosen s t v : tomb s t v -> chosen s t.
Proof. intros [[-> _]|(_ & C & _)]; [left|]; auto. Qed.
Lemma tomb_valof s t v : tomb s t v -> valof s t v.
Proof. intros [?|(_ & _ & C & _)]; [left|]; auto. Qed.
Lemma tomb_absent s t v : tomb s t v -> absent v.
Proof. intros [[_ ->]|(_ & _ & _ & C & _)]; [apply init_absent|]; auto. Qed.
Lemma tomb_full s t v a : tomb s t v -> member (ep t) a -> t <> zero -> exists w, msgs s (Vote a t w).
Proof. intros [[-> _]|(_ & _ & _ & _ & C)]; [congruence|auto]. Qed.
Lemma member_dec e a : member e a \/ ~ member e a.
Proof. unfold member. destruct (isin_dec (old e) a), (isin_dec (new e) a); tauto. Qed.
Lemma surv_member e a : isin (surv e) a -> member e a.
Proof. unfold member. destruct (surv_here e) as [->| ->]; auto. Qed.

(** a shown vote below a full tombstone: its node was a member then *)
Lemma stale x t w e a b v : Inv_ x -> tomb (co x) t w -> member e a -> ep t <= e ->
  msgs (co x) (Vote a b v) -> since a e <= ep b -> b << t -> member (ep t) a /\ t <> zero.
Proof.
  intros I T M L W S X. pose proof (zero_least b).
  assert (Z : t <> zero) by (intros ->; order). split; auto.
  destruct (member_dec (ep t) a) as [|N]; auto. exfalso.
  destruct (Nat.eq_dec (ep t) e) as [E|E]; [rewrite E in N; auto|].
  assert (ep t < since a e) by (apply since_out; auto; lia).
  pose proof (ep_mono _ _ X). lia.
Qed.

Section View.
Variables (x : mst) (e : nat) (q : list A) (Rep P : A -> ballot -> V -> option nat -> Prop).
Variable Extra : V -> (A -> Prop) -> Prop.
Let s := co x.
Hypothesis I : Safe s.
Hypothesis Hq : forall q', Maj (surv (lo e)) q' -> exists a, isin (surv (lo e)) a /\ In a q /\ q' a.
Hypothesis H_ans : forall a, In a q -> exists m v y, Rep a m v y /\ P a m v y.
Hypothesis H_some : forall a m v f, Rep a m v (Some f) -> erased s m v f \/ ep m < since a e.
Hypothesis H_none : forall a m v, Rep a m v None -> m <> zero /\ since a e <= ep m.
Definition settled_view := lo e = 0 \/
  (exists f qf, 0 < lo e /\ ep f = lo e /\ Maj (surv (lo e)) qf /\ forall a m v y, qf a -> Rep a m v y -> f <<= m) \/
  (exists t w q2, tomb s t w /\ ep t < lo e /\ (forall b, t << b -> ep b < lo e -> blocked s b) /\
    (forall a m v y, member (ep t) a -> t <> zero -> Rep a m v y -> t <<= m) /\
    Maj (surv (lo e)) q2 /\ (forall a m v f, q2 a -> Rep a m v (Some f) -> revision w <= f) /\ Extra w q2).
Hypothesis St : settled_view.


Lemma view_exists : exists T w, tomb s T w /\ (ep T < lo e \/ T = zero \/ exists a v f, In a q /\ Rep a T v (Some f)) /\
  (forall a, In a q -> exists m v y, Rep a m v y /\ P a m v y /\ (y = None \/ m <<= T \/ ep m < since a e)) /\
  (forall b p, (forall a m v, Rep a m v None -> P a m v None -> m <<= p) -> T << b -> p << b -> ep b < lo e ->
     blocked s b) /\
  (forall r, (forall a m v y, P a m v y -> exists f, y = Some f /\ f <= r) -> revision w <= r) /\
  ((forall a m v, ~ P a m v None) -> T = zero \/ (lo e <= ep T /\ exists a v f, In a q /\ Rep a T v (Some f) /\
      erased s T w f) \/
   (ep T < lo e \/ T = zero) /\ exists q2, Maj (surv (lo e)) q2 /\ Extra w q2).
Proof.
  pose proof (lo_le e) as Le.
  assert (Uq : forall t w w0, tomb s t w -> tomb s t w0 -> w = w0).
  { intros t w w0 T1 T2. eapply valof_uniq; eauto using tomb_valof. }
  (* where the search starts *)
  assert (S0 : exists t0 w0, tomb s t0 w0 /\ (ep t0 < lo e \/ t0 = zero) /\
    (t0 = zero \/ forall b, t0 << b -> ep b < lo e -> blocked s b) /\
    (lo e = 0 \/
     (exists f qf, 0 < lo e /\ ep f = lo e /\ Maj (surv (lo e)) qf /\ t0 = zero /\
        forall a m v y, qf a -> Rep a m v y -> f <<= m) \/
     (forall b, t0 << b -> ep b < lo e -> blocked s b) /\
     exists q2, Maj (surv (lo e)) q2 /\ (forall a m v f, q2 a -> Rep a m v (Some f) -> revision w0 <= f) /\ Extra w0
         q2)).
  { destruct St as [E|[(f & qf & L & E & M & F)|(t & w & q2 & T & L & B & _ & M & F & X)]].
    - exists zero, init. repeat split; auto. left; auto.
    - exists zero, init. repeat split; auto. left; auto. right; left. exists f, qf; auto.
    - exists t, w. repeat split; auto. right; right. split; auto. exists q2; auto. }
  destruct S0 as (t0 & w0 & T0 & E0 & B0 & C0).
  (* the highest erased tombstone that was reported *)
  assert (TM : exists T w, tomb s T w /\ t0 <<= T /\
    (forall a, In a q -> exists m v y, Rep a m v y /\ P a m v y /\ (y = None \/ m <<= T \/ ep m < since a e)) /\
    (T = t0 \/ exists a v f, In a q /\ Rep a T v (Some f) /\ P a T v (Some f) /\ erased s T w f)).
  { clear Hq. revert H_ans. induction q as [|a l IH]; intros Ans.
    - exists t0, w0. repeat split; auto; [order|intros a []].
    - destruct IH as (T & w & Tt & L & Al & Src); [intros; apply Ans; cbn; auto|].
      destruct (Ans a (or_introl eq_refl)) as (m & v & y & Rm & Pm).
      destruct y as [f|].
      2:{ exists T, w. repeat split; auto.
          - intros a' [<-|J]; [exists m, v, None; auto|auto].
          - destruct Src as [?|(a' & v' & f' & ? & ? & ? & ?)]; auto. right; exists a', v', f'; cbn; auto. }
      destruct (H_some _ _ _ _ Rm) as [Er|D]; [pose proof Er as (Tm & _)|].
      2:{ exists T, w. repeat split; auto.
          - intros a' [<-|J]; [exists m, v, (Some f); auto|auto].
          - destruct Src as [?|(a' & v' & f' & ? & ? & ? & ?)]; auto. right; exists a', v', f'; cbn; auto. }
      destruct (lt_or_le T m) as [X|X].
      + exists m, v. split; [auto|split; [order|split]].
        * intros a' [<-|J]; [exists m, v, (Some f); repeat split; auto; right; left; order|].
          destruct (Al a' J) as (m' & v' & y' & ? & ? & [?|[?|?]]); exists m', v', y'; repeat split; auto.
          right; left; order.
        * right. exists a, v, f; cbn; auto.
      + exists T, w. split; [auto|split; [auto|split]].
        * intros a' [<-|J]; [exists m, v, (Some f); repeat split; auto|auto].
        * destruct Src as [?|(a' & v' & f' & ? & ? & ? & ?)]; auto. right; exists a', v', f'; cbn; auto. }
  destruct TM as (T & w & Tt & L0 & Al & Src). exists T, w.
  split; [auto|split; [|split; [exact Al|split; [|split]]]].
  - destruct Src as [->|(a & v & f & ? & ? & _)]; [tauto|right; right; eauto].
  - intros b p Np L1 L2 L3. destruct C0 as [E|[(f & qf & Lf & Ef & M & _ & F)|(B & _)]]; [lia| |apply B; auto; order].
    exfalso. destruct (Hq _ M) as (a & Ia & qa & qf').
    destruct (Al a qa) as (m & v & y & Rm & Pm & D). pose proof (F _ _ _ _ qf' Rm) as Fm.
    assert (Sb : since a e <= lo e) by (apply since_in; auto).
    pose proof (ep_le _ _ Fm). assert (b << f) by (apply ep_lt; lia).
    destruct D as [->|[D|D]]; [pose proof (Np _ _ _ Rm Pm)| |lia]; order.
  - intros r All. destruct Src as [->|(a & v & f & _ & _ & Pm & _ & _ & Rv)].
    2:{ destruct (All _ _ _ _ Pm) as (f' & E & ?). inversion E; subst. lia. }
    rewrite (Uq _ _ _ Tt T0).
    destruct C0 as [E|[(f & qf & Lf & Ef & M & -> & F)|(_ & q2 & M & F & _)]].
    + assert (t0 = zero) as -> by (destruct E0 as [?|?]; [lia|auto]).
      rewrite (Uq _ w0 init T0); [rewrite init_revision; lia|left; auto].
    + exfalso. destruct (Hq _ M) as (a & Ia & qa & qf').
      destruct (Al a qa) as (m & v & y & Rm & Pm & D). pose proof (F _ _ _ _ qf' Rm) as Fm.
      assert (Sb : since a e <= lo e) by (apply since_in; auto).
      pose proof (ep_le _ _ Fm). destruct (All _ _ _ _ Pm) as (f' & -> & _).
      destruct D as [D|[D|D]]; [discriminate| |lia].
      assert (zero << f) by (apply ep_lt; cbn; lia). order.
    + destruct (Hq _ M) as (a & Ia & qa & q2').
      destruct (Al a qa) as (m & v & y & Rm & Pm & _). destruct (All _ _ _ _ Pm) as (f & -> & ?).
      pose proof (F _ _ _ _ q2' Rm). lia.
  - intros NoP. destruct Src as [->|(a & v & f & qa & Ra & Pm & Er)].
    + rewrite (Uq _ _ _ Tt T0).
      destruct C0 as [E|[(f & qf & Lf & Ef & M & -> & F)|(_ & q2 & M & F & X)]]; auto; [|right; right; split; eauto].
      left. destruct E0 as [?|?]; [lia|auto].
    + destruct (le_lt_dec (lo e) (ep T)) as [L|L]; [right; left; split; auto; exists a, v, f; auto|].
      destruct C0 as [E|[(f' & qf & Lf & Ef & M & -> & F)|(B & q2 & M & F & X)]]; [lia| |].
      * exfalso. destruct (Hq _ M) as (a' & Ia & qa' & qf').
        destruct (Al a' qa') as (m & v' & y & Rm & Pm' & D). pose proof (F _ _ _ _ qf' Rm) as Fm.
        assert (Sb : since a' e <= lo e) by (apply since_in; auto).
        pose proof (ep_le _ _ Fm). assert (T << f') by (apply ep_lt; lia).
        destruct D as [->|[D|D]]; [eapply NoP; eauto|order|lia].
      * destruct (lt_or_le t0 T) as [Y|Y].
        -- destruct (ballot_dec T zero) as [->|Nz]; auto. exfalso.
           eapply blocked_not_chosen; [exact I| |apply (B T); auto|eapply tomb_chosen; eauto].
           pose proof (zero_least T); order.
        -- assert (T = t0) as E by order. subst T. rewrite (Uq _ _ _ Tt T0). right; right; split; eauto.
Qed.
End View.

(** ** Proposals *)
Lemma settled_promises x e c q : Inv_ x -> Safe (co x) -> ep c = e -> opened (K x) e ->
  settled_view x e (fun a m v y => In a q /\ msgs (co x) (Promise a c m v y)) (fun _ _ => True).
Proof.
  intros I S Ec [O|O]; [left; auto|].
  destruct (v_settled _ I _ O) as (L & _ & [(f & qf & Ef & M & F)|(t & w & q2 & Tt & Lt & B & _ & M & F)]); right.
  - left. exists f, qf. split; [auto|split; [auto|split; [auto|]]]. intros a m v y qa [_ Pm].
    destruct (F a qa) as [[v' W] _]. destruct (i_prom _ S _ _ _ _ _ Pm) as (_ & _ & _ & Kp).
    destruct (Kp _ _ W) as [?|X]; auto. exfalso.
    assert (f << c) by (apply ep_lt; pose proof (lo_pos e); lia). order.
  - right. exists t, w, q2. split; [auto|split; [auto|split; [auto|split; [|split; [auto|split; auto]]]]].
    + intros a m v y Ma Z [_ Pm]. destruct (tomb_full _ _ _ _ Tt Ma Z) as [v' W].
      destruct (i_prom _ S _ _ _ _ _ Pm) as (_ & _ & _ & Kp). destruct (Kp _ _ W) as [?|X]; auto. exfalso.
      assert (t << c) by (apply ep_lt; pose proof (lo_le e); lia). order.
    + intros a m v f qa [_ Pm]. destruct (F a qa) as (_ & X & _). apply (X _ _ _ _ Pm). rewrite Ec; auto.
Qed.

Lemma promises_opened x c q : Inv_ x -> quorum (ep c) (fun a => In a q) ->
  (forall a, In a q -> exists m v y, msgs (co x) (Promise a c m v y)) -> opened (K x) (ep c).
Proof.
  intros I Hq Ans. destruct (quorum_some _ _ Hq) as [a qa]. destruct (Ans a qa) as (m & v & y & Pm).
  apply (v_popen _ I _ _ _ _ _ Pm).
Qed.
Lemma sees_answers s c p pv q : sees s c p pv q -> forall a, In a q -> exists m v y, msgs s (Promise a c m v y).
Proof.
  intros [(_ & Ans)|(_ & r & _ & Ans)] a qa; destruct (Ans a qa) as (_ & m & v & y & Pm & _); eauto.
Qed.
Theorem proposals_fence x c q : Inv_ x -> Safe (co x) -> quorum (ep c) (fun a => In a q) ->
  (forall a, In a q -> exists m v y, msgs (co x) (Promise a c m v y)) -> forall e, e < ep c -> fenced (co x) e.
Proof.
  intros I S Hq Ans e L q' Hq'. destruct (le_lt_dec (lo (ep c)) e) as [X|X].
  - destruct (quorum_quorum _ e _ _ Hq Hq') as (a & qa & qa'); [lia|]. exists a; split; auto.
    destruct (Ans a qa) as (m & v & y & Pm). destruct (i_prom _ S _ _ _ _ _ Pm) as (_ & G & _).
    apply ep_le in G. lia.
  - destruct (promises_opened _ _ _ I Hq Ans) as [O|O]; [lia|].
    destruct (v_settled _ I _ O) as (_ & F & _). apply F; auto.
Qed.

Theorem parent_exists x c p pv q : Inv_ x -> Safe (co x) -> zero << c ->
  quorum (ep c) (fun a => In a q) -> sees (co x) c p pv q -> exists p' v', parent (co x) c pv p' v'.
Proof.
  intros I S Z Hq Se. pose proof (sees_answers _ _ _ _ _ Se) as Ans0.
  pose proof (promises_opened _ _ _ I Hq Ans0) as O.
  set (Rep := fun a m v y => In a q /\ msgs (co x) (Promise a c m v y)).
  pose proof (settled_promises x _ c q I S eq_refl O) as St. fold Rep in St.
  assert (Hs : forall a m v f, Rep a m v (Some f) -> erased (co x) m v f \/ ep m < since a (ep c))
    by (intros a m v f [_ Pm]; apply (v_prom _ I _ _ _ _ _ Pm)).
  assert (Bl : forall T p0 (P : A -> ballot -> V -> option nat -> Prop),
    (forall a, In a q -> exists m v y, Rep a m v y /\ P a m v y /\ (y = None \/ m <<= T \/ ep m < since a (ep c))) ->
    (forall a m v, P a m v None -> m <<= p0) ->
    (forall b, T << b -> p0 << b -> ep b < lo (ep c) -> blocked (co x) b) ->
    forall b, T << b -> p0 << b -> b << c -> blocked (co x) b).
  { intros T p0 P Al Np Low b L1 L2 L3. destruct (le_lt_dec (lo (ep c)) (ep b)) as [X|X]; [|auto].
    intros q' Hq'. apply Q_is in Hq'. pose proof (ep_mono _ _ L3).
    destruct (quorum_surv _ (ep b) _ _ Hq ltac:(lia) Hq') as (a & Ia & qa & qa').
    destruct (Al a qa) as (m & v & y & [_ Pm] & Pa & D). exists a, c, m, v, y. repeat split; auto.
    destruct D as [->|[D|D]]; [pose proof (Np _ _ _ Pa); order|order|].
    apply ep_lt. pose proof (since_in a (ep c) (ep b) ltac:(lia) Ia). lia. }
  assert (Tc : forall T, (ep T < lo (ep c) \/ T = zero \/ exists a v f, In a q /\ Rep a T v (Some f)) -> T << c).
  { intros T [L|[->|(a & v & f & _ & _ & Pm)]]; auto.
    - apply ep_lt. pose proof (lo_le (ep c)). lia.
    - apply (i_prom _ S _ _ _ _ _ Pm). }
  destruct Se as [((a0 & qa0 & P0) & Ans)|(-> & r & -> & Ans)].
  - set (P := fun (a : A) m (v : V) (y : option nat) => y = None -> m <<= p).
    destruct (view_exists x (ep c) q Rep P (fun _ _ => True) S (fun q' => quorum_surv _ _ _ q' Hq (lo_le (ep c)))) as
        (T & w & Tt & Te & Al & Low & _); eauto.
    { intros a qa. destruct (Ans a qa) as (_ & m & v & y & Pm & ?). exists m, v, y. repeat split; auto. }
    exists p, pv. destruct (i_prom _ S _ _ _ _ _ P0) as (Lp & _ & [[E _]|W] & Kp).
    { destruct (v_shown _ I _ _ _ _ P0); congruence. }
    assert (Tp : T <<= p).
    { destruct (lt_or_le p T) as [X|X]; auto. exfalso.
      destruct (v_shown _ I _ _ _ _ P0) as [_ Sh]. destruct (Ans a0 qa0) as [M0 _].
      destruct (stale x T w (ep c) a0 p pv I Tt M0) as [Mt Zt]; auto.
      { apply ep_mono; auto. }
      destruct (tomb_full _ _ _ _ Tt Mt Zt) as [v' W']. pose proof (Tc T Te). destruct (Kp _ _ W'); order. }
    split; [right; destruct (i_vote _ S _ _ _ W) as (_ & ? & ? & ?); eauto|].
    split; [apply blur_refl|split; auto]. intros b L1 L2.
    refine (Bl T p P Al _ _ b _ L1 L2); [intros a m v Pa; apply Pa; auto| |order].
    intros b' ? ? ?. apply (Low b' p); auto.
  - set (P := fun (a : A) (m : ballot) (v : V) (y : option nat) => exists f, y = Some f /\ f <= r).
    destruct (view_exists x (ep c) q Rep P (fun _ _ => True) S (fun q' => quorum_surv _ _ _ q' Hq (lo_le (ep c)))) as
        (T & w & Tt & Te & Al & Low & Rv & _); eauto.
    { intros a qa. destruct (Ans a qa) as (_ & m & v & f & Pm & ?). exists m, v, (Some f). repeat split; auto. exists
        f; auto. }
    exists T, w. split; [eapply tomb_valof; eauto|]. split; [|split].
    + apply blur_absent; [eapply tomb_absent; eauto|]. apply Rv. intros a m v y H; exact H.
    + auto.
    + intros b L1 L2. pose proof (zero_least T).
      refine (Bl T zero P Al _ _ b L1 _ L2); [intros a m v (f & E & _); discriminate| |order].
      intros b' ? ? ?. apply Low with (p := zero); auto. intros a m v _ (f & E & _); discriminate.
Qed.

(** ** One-round reads (R6) *)
Definition told_enough x e w (q2 : A -> Prop) :=
  forall a l f, q2 a -> told x a l f -> lo l = lo e -> revision w <= f.
Lemma settled_replies x e r q : Inv_ x -> repoch r = e -> opened (K x) e ->
  settled_view x e (fun a m v y => In a q /\ exists g, msgs (co x) (Reply a r g m v y))
    (told_enough x e).
Proof.
  intros I Er [O|O]; [left; auto|].
  assert (Lg : forall a g m v y, msgs (co x) (Reply a r g m v y) -> lo (ep g) = lo e).
  { intros a g m v y Rm. destruct (v_repoch _ I _ _ _ _ _ _ Rm) as (-> & _). rewrite Er; auto. }
  destruct (v_settled _ I _ O) as (L & _ & [(f & qf & Ef & M & F)|(t & w & q2 & Tt & Lt & B & Mb & M & F)]); right.
  - left. exists f, qf. split; [auto|split; [auto|split; [auto|]]]. intros a m v y qa [_ [g Rm]].
    destruct (F a qa) as [_ X]. eauto.
  - right. exists t, w, q2. split; [auto|split; [auto|split; [auto|split; [|split; [auto|split]]]]].
    + intros a m v y Ma Z [_ [g Rm]]. eauto.
    + intros a m v f qa [_ [g Rm]]. destruct (F a qa) as (_ & _ & X & _); eauto.
    + intros a l f qa Ta El. destruct (F a qa) as (_ & _ & _ & X); eauto.
Qed.

Lemma replies_opened x r q : Inv_ x -> quorum (repoch r) (fun a => In a q) ->
  (forall a, In a q -> exists g m v y, msgs (co x) (Reply a r g m v y)) -> opened (K x) (repoch r).
Proof.
  intros I Hq Ans. destruct (quorum_some _ _ Hq) as [a qa]. destruct (Ans a qa) as (g & m & v & y & Rm).
  destruct (v_repoch _ I _ _ _ _ _ _ Rm) as (<- & _).
  destruct (Nat.eq_dec (ep g) 0) as [->|N]; [left; apply lo_zero|].
  destruct (v_rfence _ I _ _ _ _ _ _ Rm) as (m' & v' & y' & Pm); [lia|].
  apply (v_popen _ I) in Pm. exact Pm.
Qed.

(** a ballot above what the read found is none that was acknowledged before it *)
Lemma read_high x r q b' y b'' : Inv_ x -> reachable (co x) -> quorum (repoch r) (fun a => In a q) ->
  zero <<= b' -> done y b'' -> Before (hist (co x)) y (RInv r) ->
  (forall a, In a q -> exists g m v z, msgs (co x) (Reply a r g m v z) /\
     (m <<= b' \/ ep m < since a (repoch r))) ->
  (b' << b'' -> ep b'' < lo (repoch r) -> False) -> b'' <<= b'.
Proof.
  intros I RR Hq Z D Bf Ans Low. destruct (lt_or_le b' b'') as [X|X]; auto. exfalso.
  set (e := repoch r) in *. destruct (le_lt_dec (ep b'') e) as [L|L].
  2:{ destruct (v_rcross _ I _ _ _ D Bf e _ L Hq) as (a & qa & _ & G).
      destruct (Ans a qa) as (g & m & v & z & Rm & _). apply G in Rm as G'.
      destruct (v_repoch _ I _ _ _ _ _ _ Rm) as (E & _). unfold e in *. lia. }
  destruct (le_lt_dec (lo e) (ep b'')) as [L'|L']; [|auto].
  destruct (h_snap _ (hist_reachable _ RR) _ _ _ D Bf) as [->|(q' & Hq' & _ & W)]; [order|].
  apply Q_is in Hq'. destruct (quorum_surv _ (ep b'') _ _ Hq (conj L' L) Hq') as (a & Ia & qa & qa').
  destruct (Ans a qa) as (g & m & v & z & Rm & Dm), (W a qa') as [_ Wm]. apply Wm in Rm.
  destruct Dm as [Dm|Dm]; [order|]. pose proof (since_in a e (ep b'') (conj L' L) Ia). apply ep_le in Rm. lia.
Qed.

Theorem read_exists x r b v q : Inv_ x -> reachable (co x) -> quorum (repoch r) (fun a => In a q) ->
  rsees (co x) r b v q -> exists b' w, covers (co x) r b' w v.
Proof.
  intros I RR Hq Se. pose proof (safe_reachable _ RR) as S.
  set (Rep := fun a m v y => In a q /\ exists g, msgs (co x) (Reply a r g m v y)).
  assert (Ans0 : forall a, In a q -> exists g m v y, msgs (co x) (Reply a r g m v y)).
  { intros a qa. destruct Se as [(_ & _ & _ & Ans)|(R & _ & Ans)]; destruct (Ans a qa) as (_ & g & H); eauto.
    destruct H as (m & w & f & H & _); eauto. }
  pose proof (replies_opened _ _ _ I Hq Ans0) as O.
  pose proof (settled_replies x _ r q I eq_refl O) as St. fold Rep in St.
  set (e := repoch r) in *.
  assert (Done : forall y b'', done y b'' -> Before (hist (co x)) y (RInv r) -> chosen (co x) b'').
  { intros y b'' D Bf. eapply done_chosen; eauto; [apply hist_reachable; auto|]. eapply before_in; eauto. }
  destruct Se as [(Nz & Qb & (a0 & qa0) & Ans)|(R & -> & Ans)].
  - assert (Vt : forall a, In a q -> exists w, msgs (co x) (Vote a b w)).
    { intros a qa. destruct (Ans a qa) as (_ & g & Rm). destruct (i_reply _ S _ _ _ _ _ _ Rm) as [[? _]|W];
        [congruence|eauto]. }
    exists b, v. split; [right; exists (fun a => In a q); repeat split; eauto|].
    split; [|split; [apply blur_refl|]].
    { destruct (Ans a0 qa0) as (_ & g & Rm). destruct (i_reply _ S _ _ _ _ _ _ Rm) as [?|W]; [left; auto|].
      right. destruct (i_vote _ S _ _ _ W) as (_ & ? & ? & ?); eauto. }
    intros y b'' D Bf. eapply read_high; eauto; [apply zero_least| |].
    { intros a qa. destruct (Ans a qa) as (_ & g & Rm). exists g, b, v, None. split; auto. left; order. }
    intros L L'. fold e in L'. destruct St as [E|[(f & qf & Lf & Ef & M & F)|(t & w & q2 & Tt & Lt & B & Mb & _)]].
    + lia.
    + destruct (quorum_surv _ (lo e) _ _ Hq (lo_le e) M) as (a & _ & qa & qf').
      destruct (Ans a qa) as (_ & g & Rm). pose proof (F a b v None qf' (conj qa (ex_intro _ g Rm))) as X.
      assert (b'' << f) by (apply ep_lt; lia). order.
    + destruct (lt_or_le t b'') as [X|X].
      * eapply blocked_not_chosen; [exact S| |apply B; eauto|eauto]. pose proof (zero_least b); order.
      * destruct (Ans a0 qa0) as (M0 & g & Rm). destruct (v_seen _ I _ _ _ _ _ Rm) as [_ Sh].
        destruct (v_repoch _ I _ _ _ _ _ _ Rm) as (Eg & _). rewrite Eg in Sh.
        destruct (Vt a0 qa0) as [v' W].
        destruct (stale x t w e a0 b v' I Tt M0) as [Mt Zt]; auto; [pose proof (lo_le e); lia|order|].
        pose proof (Mb a0 b v None Mt Zt (conj qa0 (ex_intro _ g Rm))). order.
  - set (P := fun (a : A) (m : ballot) (v : V) (y : option nat) => exists f, y = Some f /\ f <= R).
    destruct (view_exists x e q Rep P (told_enough x e) S (fun q' => quorum_surv _ _ _ q' Hq (lo_le e))) as (T & w &
        Tt & Te & Al & Low & Rv & _); eauto.
    { intros a qa. destruct (Ans a qa) as (_ & g & m & u & f & Rm & ?). exists m, u, (Some f). split; [split;
        eauto|exists f; auto]. }
    { intros a m u f [_ [g Rm]]. destruct (v_repoch _ I _ _ _ _ _ _ Rm) as (Eg & _).
      destruct (v_reply _ I _ _ _ _ _ _ Rm) as (_ & [?|?]); auto. right. unfold e; rewrite <- Eg; auto. }
    exists T, w. split; [eapply tomb_chosen; eauto|split; [eapply tomb_valof; eauto|split]].
    { apply blur_absent; [eapply tomb_absent; eauto|]. apply Rv. intros a m u y H; exact H. }
    intros y b'' D Bf. eapply read_high; eauto; [apply zero_least| |].
    { intros a qa. destruct (Al a qa) as (m & u & z & [_ [g Rm]] & (f & -> & _) & [E|Dm]); [discriminate|].
      exists g, m, u, (Some f). split; auto. }
    intros L L'. eapply blocked_not_chosen; [exact S| |apply (Low b'' zero); auto|eauto].
    + pose proof (zero_least T); order.
    + intros a m u _ (f & E & _); discriminate.
    + pose proof (zero_least T); order.
Qed.
End Guard.
