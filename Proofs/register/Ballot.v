(** Ballots [(epoch, counter, proposer)], ordered lexicographically (PROTOCOL,
    State; Sources/Register/Ballot.swift).  [proposer] stands for the pair of
    node and boot number, packed as the code packs it.

    What the rest uses: the order is total and well founded, and the epoch is
    its most significant part ([ep_mono]). *)
From Coq Require Import Orders OrdersTac Arith Lia List Wellfounded.
Import ListNotations.

Module Ballot <: UsualTotalOrder.
  Definition t := (nat * (nat * nat))%type.      (* epoch, counter, proposer *)
  Definition eq := @Logic.eq t.
  #[global] Instance eq_equiv : Equivalence eq := eq_equivalence.
  Definition less (x y : t) :=
    fst x < fst y \/ (fst x = fst y /\ (fst (snd x) < fst (snd y) \/
      (fst (snd x) = fst (snd y) /\ snd (snd x) < snd (snd y)))).
  Inductive lt' (x y : t) : Prop :=        (* inductive, so that tactics do not look inside *)
  | lt_epoch : fst x < fst y -> lt' x y
  | lt_inside : less x y -> lt' x y.
  Definition lt := lt'.
  Lemma lt_less x y : lt x y <-> less x y.
  Proof. split; [intros []; unfold less; auto|apply lt_inside]. Qed.
  Inductive le' (x y : t) : Prop := le_lt : lt x y -> le' x y | le_eq : eq x y -> le' x y.
  Definition le := le'.
  #[global] Instance lt_strorder : StrictOrder lt.
  Proof. split; [intros x|intros x y z]; unfold complement; rewrite ?lt_less; unfold less; lia. Qed.
  #[global] Instance lt_compat : Proper (eq ==> eq ==> iff) lt.
  Proof. intros x x' -> y y' ->; tauto. Qed.
  Lemma le_lteq x y : le x y <-> lt x y \/ eq x y.
  Proof. split; [intros []; auto|intros []; [apply le_lt|apply le_eq]; auto]. Qed.
  Lemma lt_total x y : lt x y \/ eq x y \/ lt y x.
  Proof.
    rewrite !lt_less. destruct x as [e [n p]], y as [e' [n' p']]; unfold less, eq; cbn.
    destruct (Nat.lt_total e e') as [?|[->|?]]; [left; lia| |right; right; lia].
    destruct (Nat.lt_total n n') as [?|[->|?]]; [left; lia| |right; right; lia].
    destruct (Nat.lt_total p p') as [?|[->|?]]; [left; lia|auto|right; right; lia].
  Qed.
End Ballot.

Notation ballot := Ballot.t.
Notation "x << y" := (Ballot.lt x y) (at level 70).
Notation "x <<= y" := (Ballot.le x y) (at level 70).
(** [order] proves what follows from the order alone *)
Module OT := MakeOrderTac Ballot Ballot.
Ltac order := OT.order.

(** below every ballot a proposer can use: "nothing is accepted" *)
Definition zero : ballot := (0, (0, 0)).
Definition ep (b : ballot) : nat := fst b.
(** R11: the promise for every key that installing epoch [e] gives *)
Definition fence (e : nat) : ballot := (e, (0, 0)).

Lemma lt_wf : well_founded Ballot.lt.
Proof.
  assert (W : forall e n p, Acc Ballot.lt (e, (n, p))).
  { intros e; induction e as [e IHe] using (well_founded_ind Wf_nat.lt_wf).
    intros n; induction n as [n IHn] using (well_founded_ind Wf_nat.lt_wf).
    intros p; induction p as [p IHp] using (well_founded_ind Wf_nat.lt_wf).
    constructor; intros [e' [n' p']] L; apply Ballot.lt_less in L; unfold Ballot.less in L; cbn in L.
    destruct L as [L|[-> [L|[-> L]]]]; auto. }
  intros [e [n p]]; apply W.
Qed.
Lemma lt_or_le x y : x << y \/ y <<= x.
Proof. destruct (Ballot.lt_total x y) as [|[|]]; [left|right|right]; order. Qed.
Lemma ballot_dec (x y : ballot) : x = y \/ x <> y.
Proof. destruct (Ballot.lt_total x y) as [|[|]]; [right|left|right]; order. Qed.
Lemma zero_least x : zero <<= x.
Proof.
  destruct x as [e [n p]]. rewrite Ballot.le_lteq, Ballot.lt_less. unfold Ballot.less, Ballot.eq, zero; cbn.
  destruct e, n, p; auto; left; lia.
Qed.
Lemma ep_mono x y : x << y -> ep x <= ep y.
Proof. rewrite Ballot.lt_less; unfold Ballot.less, ep; lia. Qed.
Lemma ep_le x y : x <<= y -> ep x <= ep y.
Proof. intros L%Ballot.le_lteq; destruct L as [L|E]; [apply ep_mono; auto|unfold Ballot.eq in E; subst; lia]. Qed.
Lemma ep_lt x y : ep x < ep y -> x << y.
Proof. rewrite Ballot.lt_less; unfold Ballot.less, ep; lia. Qed.
Lemma fence_le e b : e <= ep b -> fence e <<= b.
Proof.
  intros L. unfold ep in L. destruct b as [e' [n p]]; cbn in L.
  rewrite Ballot.le_lteq, Ballot.lt_less. unfold Ballot.less, Ballot.eq, fence; cbn.
  destruct (Nat.eq_dec e e') as [->|]; [|left; lia].
  destruct n, p; auto; left; lia.
Qed.

Definition beq (x y : ballot) : bool :=
  (fst x =? fst y) && (fst (snd x) =? fst (snd y)) && (snd (snd x) =? snd (snd y)).
Lemma beq_ok x y : beq x y = true <-> x = y.
Proof.
  destruct x as [? [? ?]], y as [? [? ?]]; unfold beq; cbn.
  rewrite !Bool.andb_true_iff, !Nat.eqb_eq. split; [intros [[-> ->] ->]; auto|intros E; inversion E; auto].
Qed.
Lemma fence_lt e b : ep b < e -> b << fence e.
Proof. intros; apply ep_lt; auto. Qed.
