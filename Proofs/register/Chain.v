(** What the configurations are, and that what Members.v supposes of the chain of
    configurations holds of every chain that Config.v allows: [chain_membership].
    A cell (Cell.v) is what the register holds, so the theorems of Once.v and
    MembersTheorem.v hold together of one model ([Whole] below).

    A configuration names its sets and, for each node, [since]: the joint epoch
    in which it last entered.  [done_] tells a completed change from an abandoned
    one. *)
From Coq Require Import List Arith Lia Bool.
From Synod Require Import Ballot Model Safety History Linearizable Cell Once Members MembersTheorem.
From Synod Require Config.
Import ListNotations.

Section Chain.
Variable Node : Type.
Variable Node_dec : forall a b : Node, {a = b} + {a <> b}.

Record config := Conf {
  epoch : nat; c_old : list Node; c_new : list Node; since_ : Node -> nat; done_ : bool }.

(** a majority of a set *)
Definition Maj_ (S : list Node) (q : Node -> Prop) :=
  exists l, NoDup l /\ (forall a, In a l -> q a /\ In a S) /\ length S < 2 * length l.
Lemma Maj_meet_ S q q' : Maj_ S q -> Maj_ S q' -> exists a, In a S /\ q a /\ q' a.
Proof.
  intros (l & N & H & L) (l' & N' & H' & L').
  destruct (existsb (fun a => if in_dec Node_dec a l' then true else false) l) eqn:E.
  - apply existsb_exists in E. destruct E as (a & J & E). destruct (in_dec Node_dec a l'); [|discriminate].
    exists a. destruct (H a J), (H' a i). auto.
  - exfalso. assert (D : NoDup (l ++ l')).
    { apply NoDup_app; auto. intros x J J'.
      assert (existsb (fun a => if in_dec Node_dec a l' then true else false) l = true); [|congruence].
      apply existsb_exists; exists x; split; auto. destruct (in_dec Node_dec x l'); auto. }
    assert (In_ : incl (l ++ l') S).
    { intros x J. apply in_app_iff in J. destruct J; [apply H|apply H']; auto. }
    pose proof (NoDup_incl_length D In_) as X. rewrite app_length in X. lia.
Qed.

(** M: the joint configuration of M and any N; joint M N: N (completed) or M (abandoned) *)
Inductive next (c : config) : config -> Prop :=
| n_begin N s : Nat.even (epoch c) = true ->
    (forall a, In a (c_old c) -> s a = since_ c a) -> (forall a, ~ In a (c_old c) -> s a = epoch c + 1) ->
    next c (Conf (epoch c + 1) (c_old c) N s false)
| n_complete : Nat.odd (epoch c) = true ->
    next c (Conf (epoch c + 1) (c_new c) (c_new c) (since_ c) true)
| n_abandon : Nat.odd (epoch c) = true ->
    next c (Conf (epoch c + 1) (c_old c) (c_old c) (since_ c) false).
Definition first_ (M : list Node) := Conf 0 M M (fun _ => 0) false.
Definition quorum_ c q := Maj_ (c_old c) q /\ Maj_ (c_new c) q.

Lemma next_epoch c d : next c d -> epoch d = epoch c + 1.
Proof. destruct 1; auto. Qed.
Lemma quorum_meet c q q' : quorum_ c q -> quorum_ c q' -> exists a, q a /\ q' a.
Proof. intros [H _] [H' _]. destruct (Maj_meet_ _ _ _ H H') as (a & _ & ? & ?); eauto. Qed.

Section Given.
Variable M0 : list Node.
Variable conf : nat -> config.
Hypothesis conf_0 : conf 0 = first_ M0.
Hypothesis conf_next : forall n, next (conf n) (conf (n + 1)).

Definition old_ e := c_old (conf e).
Definition new_ e := c_new (conf e).
Definition surv_ e := c_old (conf (e + 1)).
Definition since__ a e := since_ (conf e) a.
Fixpoint lo_ e := match e with 0 => 0 | S e => if Nat.odd e && done_ (conf (e + 1)) then e else lo_ e end.
Definition member_ e a := In a (old_ e) \/ In a (new_ e).

Lemma conf_epoch n : epoch (conf n) = n.
Proof.
  induction n as [|n IH]; [rewrite conf_0; auto|]. replace (S n) with (n + 1) by lia.
  rewrite (next_epoch _ _ (conf_next n)). lia.
Qed.
(** the three kinds of step *)
Lemma steps e :
  (Nat.odd e = false /\ lo_ (e + 1) = lo_ e /\ old_ (e + 1) = old_ e /\
     (forall a, In a (old_ e) -> since__ a (e + 1) = since__ a e) /\
     (forall a, ~ In a (old_ e) -> since__ a (e + 1) = e + 1)) \/
  (Nat.odd e = true /\ lo_ (e + 1) = e /\ old_ (e + 1) = new_ e /\ new_ (e + 1) = new_ e /\
     (forall a, since__ a (e + 1) = since__ a e)) \/
  (Nat.odd e = true /\ lo_ (e + 1) = lo_ e /\ old_ (e + 1) = old_ e /\ new_ (e + 1) = old_ e /\
     (forall a, since__ a (e + 1) = since__ a e)).
Proof.
  pose proof (conf_next e) as N. pose proof (conf_epoch e) as E.
  replace (e + 1) with (S e) at 1 3 6 by lia. unfold old_, new_, since__. cbn [lo_].
  inversion N as [N' s Ev S1 S2 Q|Od Q|Od Q]; rewrite E in *; cbn.
  - left. unfold Nat.odd. rewrite Ev; cbn. auto.
  - right; left. rewrite Od; cbn. auto.
  - right; right. rewrite Od; cbn. auto.
Qed.
Lemma stable_same e : Nat.odd e = false -> new_ e = old_ e.
Proof.
  destruct e as [|e]; [unfold new_, old_; rewrite conf_0; auto|]. replace (S e) with (e + 1) by lia.
  intros Od. destruct (steps e) as [(O & _)|[(O & _ & -> & -> & _)|(O & _ & -> & -> & _)]]; auto.
  rewrite <- Nat.negb_even, Nat.even_add, Nat.negb_even in *. unfold Nat.odd in *. cbn in Od.
  destruct (Nat.even e); discriminate.
Qed.

Lemma lo_zero_ : lo_ 0 = 0.
Proof. reflexivity. Qed.
Lemma lo_lt_ e : 0 < e -> lo_ e < e.
Proof.
  induction e as [|e IH]; [lia|]. intros _. cbn. destruct (_ && _); [lia|].
  destruct e; [cbn; lia|]. assert (lo_ (S e) < S e) by (apply IH; lia). lia.
Qed.
Lemma surv_here_ e : surv_ e = old_ e \/ surv_ e = new_ e.
Proof.
  unfold surv_. fold (old_ (e + 1)).
  destruct (steps e) as [(_ & _ & -> & _)|[(_ & _ & -> & _)|(_ & _ & -> & _)]]; auto.
Qed.
Lemma surv_below e e' : lo_ e <= e' < e -> surv_ e' = old_ e.
Proof.
  induction e as [|e IH]; [lia|]. replace (S e) with (e + 1) by lia. intros L.
  destruct (Nat.eq_dec e' e) as [->|N]; [reflexivity|].
  destruct (steps e) as [(_ & El & -> & _)|[(_ & El & _)|(_ & El & -> & _)]]; [apply IH; lia|lia|apply IH; lia].
Qed.
Lemma surv_lo_ e e' : lo_ e <= e' <= e -> surv_ e' = old_ e \/ surv_ e' = new_ e.
Proof.
  intros L. destruct (Nat.eq_dec e' e) as [->|N]; [apply surv_here_|left; apply surv_below; lia].
Qed.
Lemma since_le a e : since__ a e <= e.
Proof.
  induction e as [|e IH]; [unfold since__; rewrite conf_0; auto|]. replace (S e) with (e + 1) by lia.
  destruct (steps e) as [(_ & _ & _ & S1 & S2)|[(_ & _ & _ & _ & S1)|(_ & _ & _ & _ & S1)]]; try (rewrite S1; lia).
  destruct (in_dec Node_dec a (old_ e)); [rewrite S1; auto; lia|rewrite S2; auto].
Qed.
Lemma since_old a e : In a (old_ e) -> since__ a e <= lo_ e.
Proof.
  induction e as [|e IH]; [unfold since__; rewrite conf_0; auto|]. replace (S e) with (e + 1) by lia.
  destruct (steps e) as [(_ & -> & -> & S1 & _)|[(_ & -> & _ & _ & S1)|(_ & -> & -> & _ & S1)]]; intros J.
  - rewrite S1; auto.
  - rewrite S1. apply since_le.
  - rewrite S1; auto.
Qed.
Lemma since_in_ a e e' : lo_ e <= e' <= e -> In a (surv_ e') -> since__ a e <= e'.
Proof.
  intros L J. destruct (Nat.eq_dec e' e) as [->|N]; [apply since_le|].
  rewrite (surv_below e e') in J by lia. apply since_old in J. lia.
Qed.
Lemma since_member a e j : member_ e a -> since__ a e <= j <= e -> member_ j a.
Proof.
  induction e as [|e IH]; intros M L; [replace j with 0 by lia; auto|].
  destruct (Nat.eq_dec j (S e)) as [->|N]; auto. replace (S e) with (e + 1) in * by lia.
  unfold member_ in M.
  destruct (steps e) as [(_ & _ & E1 & S1 & S2)|[(_ & _ & E1 & E2 & S1)|(_ & _ & E1 & E2 & S1)]].
  - destruct (in_dec Node_dec a (old_ e)) as [J|J].
    + rewrite S1 in L by auto. apply IH; [left; auto|lia].
    + rewrite S2 in L by auto. lia.
  - rewrite S1 in L. rewrite E1, E2 in M. apply IH; [right; tauto|lia].
  - rewrite S1 in L. rewrite E1, E2 in M. apply IH; [left; tauto|lia].
Qed.
Lemma since_out_ a j e : j < e -> member_ e a -> ~ member_ j a -> j < since__ a e.
Proof.
  intros L M N. destruct (le_lt_dec (since__ a e) j) as [X|X]; auto. exfalso. apply N. eapply since_member; eauto. lia.
Qed.
Lemma in_or_not (S : list Node) a : In a S \/ ~ In a S.
Proof. destruct (in_dec Node_dec a S); auto. Qed.

(** ** Everything together *)
Variable Val : Values.
Variable Rd : Type.
Variable repoch_ : Rd -> nat.
Variable folds : ballot -> list (@request Val).
Definition chain_cells : Cells := Build_Cells Val Node Rd Node_dec folds (fun b q => Maj_ (surv_ (ep b)) q).
Lemma blur_absent_ v r : content v = None -> rev v <= r -> blurs v (absentAt r).
Proof. intros E L. right. split; auto. exists r; auto. Qed.
Definition chain_membership : Membership := {|
  Reg := @cells_register chain_cells;
  absent := fun v : @V (@cells_register chain_cells) => content v = None;
  revision := fun v : @V (@cells_register chain_cells) => rev v;
  absentV := absentAt : nat -> @V (@cells_register chain_cells);
  init_absent := eq_refl; init_revision := eq_refl;
  blur_absent := blur_absent_;
  repoch := repoch_ : @R (@cells_register chain_cells) -> nat;
  Sets := list Node;
  isin := (fun S a => In a S) : list Node -> @A (@cells_register chain_cells) -> Prop;
  Maj := Maj_ : list Node -> (@A (@cells_register chain_cells) -> Prop) -> Prop;
  Maj_meet := Maj_meet_;
  old := old_; new := new_; surv := surv_; lo := lo_; since := since__;
  lo_zero := lo_zero_; lo_lt := lo_lt_; surv_here := surv_here_; surv_lo := surv_lo_;
  old_lo := fun l e _ L => surv_below l e L;
  since_in := since_in_; since_out := since_out_; isin_dec := in_or_not;
  Q_is := fun b q => conj (fun H => H) (fun H => H) |}.

(** the whole of it, for one key, across any chain of configurations *)
Definition whole_state := @mst chain_membership.
Definition whole := @mreachable chain_membership.

Theorem whole_linearizable (x : whole_state) : whole x -> linearizable (hist (co x)).
Proof. apply (@members_linearizable chain_membership). Qed.
Theorem whole_revisions (x : whole_state) c pv c' pv' r y y' : whole x ->
  In (Ack c pv) (hist (co x)) -> In (Ack c' pv') (hist (co x)) ->
  In (r, y) (placed (folds c) pv) -> In (r, y') (placed (folds c') pv') -> c = c' /\ y = y'.
Proof.
  intros H. destruct (@m_reachable chain_membership x H) as [RR _].
  apply (@revisions_never_repeat chain_cells (co x) c pv c' pv' r y y' RR).
Qed.
Theorem whole_once (x : whole_state) b H : whole x -> @R7 chain_cells (co x) -> @trace chain_cells (co x) b H ->
    NoDup (ids H).
Proof.
  intros W. destruct (@m_reachable chain_membership x W) as [RR _].
  apply (@at_most_once chain_cells (co x) b H RR).
Qed.
End Given.

(** ** The configurations that nodes install form such a chain *)
Definition succ_ (c : config) : config :=
  if Nat.even (epoch c) then Conf (epoch c + 1) (c_old c) (c_old c)
    (fun a => if in_dec Node_dec a (c_old c) then since_ c a else epoch c + 1) false
  else Conf (epoch c + 1) (c_old c) (c_old c) (since_ c) false.
Lemma next_succ c : next c (succ_ c).
Proof.
  unfold succ_. destruct (Nat.even (epoch c)) eqn:E.
  - apply n_begin; auto; intros a J; destruct (in_dec Node_dec a (c_old c)); tauto.
  - apply n_abandon. unfold Nat.odd; rewrite E; auto.
Qed.
Fixpoint after c n := match n with 0 => c | S n => succ_ (after c n) end.

Notation known M0 := (Config.known Node config epoch quorum_ (first_ M0)).
Theorem chain_exists M0 s d :
  Config.reachable Node config Node_dec epoch quorum_ next (first_ M0) s -> known M0 (Config.msgs _ _ s) d ->
  exists conf, conf 0 = first_ M0 /\ (forall n, next (conf n) (conf (n + 1))) /\
    forall c, known M0 (Config.msgs _ _ s) c -> epoch c <= epoch d -> conf (epoch c) = c.
Proof.
  intros RR Kd.
  pose proof (Config.agreement Node config Node_dec epoch quorum_ next (first_ M0) quorum_meet eq_refl s) as Ag.
  pose proof (Config.succession Node config Node_dec epoch quorum_ next (first_ M0) quorum_meet next_epoch eq_refl s)
      as Su.
  pose proof (Config.every_epoch Node config Node_dec epoch quorum_ next (first_ M0) eq_refl s) as Ev.
  remember (epoch d) as n eqn:En. revert d Kd En. induction n as [|n IH]; intros d Kd En.
  - exists (after (first_ M0)). split; [auto|split].
    + intros n. replace (n + 1) with (S n) by lia. apply next_succ.
    + intros c Kc Ec. replace (epoch c) with 0 by lia. cbn. apply Ag; auto; [constructor|cbn; lia].
  - destruct (Ev d RR Kd n) as (c0 & K0 & E0); [lia|].
    destruct (IH c0 K0 (eq_sym E0)) as (conf & C0 & Cn & Ck).
    exists (fun m => if m <=? n then conf m else after d (m - S n)). split; [auto|split].
    + intros m. destruct (Nat.leb_spec m n), (Nat.leb_spec (m + 1) n); auto; try lia.
      * assert (m = n) as -> by lia. replace (n + 1 - S n) with 0 by lia; cbn.
        rewrite <- E0, (Ck c0 K0) by lia. apply Su; auto. lia.
      * replace (m + 1 - S n) with (S (m - S n)) by lia. apply next_succ.
    + intros c Kc Ec. destruct (Nat.leb_spec (epoch c) n) as [L|L]; [apply Ck; auto|].
      replace (epoch c - S n) with 0 by lia; cbn. apply Ag; auto. lia.
Qed.
End Chain.
