(** Is a short history linearizable?  [search] tries every order of every choice
    of its operations; [not_linearizable] says that where it finds none, there is
    none.  Used by Controls.v only. *)
From Coq Require Import List Arith Lia Bool.
From Synod Require Import Ballot Model Exec Chain.
Import ListNotations.

Definition oid := (ballot + (nat * nat))%type.
Definition oid_dec (i j : oid) : {i = j} + {i <> j}.
Proof. repeat decide equality. Defined.
Fixpoint cands n (U : list oid) : list (list oid) := match n with
  | 0 => [[]]
  | S n => [] :: flat_map (fun x => map (cons x) (cands n (remove oid_dec x U))) U end.
Lemma cands_all n U l : NoDup l -> incl l U -> length l <= n -> In l (cands n U).
Proof.
  revert U l; induction n as [|n IH]; intros U l N I L; destruct l as [|x l]; cbn in *; auto; [lia|].
  right. apply in_flat_map. exists x. split; [apply I; cbn; auto|]. apply in_map.
  inversion N as [|? ? N1 N2]; subst. apply IH; auto; [|lia].
  intros y J. apply in_in_remove; [intros ->; auto|apply I; cbn; auto].
Qed.

Section Search.
Variable conf : nat -> config nat.
Variable chg_ : ballot -> nat -> nat.
Notation plain := (plain conf chg_).
Notation op := (@op plain).
Notation OW := (@OW plain). Notation OR := (@OR plain).

Fixpoint play (v : nat) (l : list oid) : list op := match l with
  | [] => []
  | inl c :: l => OW c v :: play (chg_ c v) l
  | inr r :: l => OR r v :: play v l end.
Lemma legal_play v l : @legal plain v l -> l = play v (map (@op_id plain) l).
Proof.
  revert v; induction l as [|[c pv|r rv] l IH]; cbn; intros v; auto; intros [E L]; cbn in E; subst; f_equal; auto.
Qed.

Definition opb (x y : op) := match x, y with
  | Model.OW c v, Model.OW c' v' => beq c c' && Nat.eqb v v'
  | Model.OR r v, Model.OR r' v' => rbeq r r' && Nat.eqb v v' | _, _ => false end.
Lemma opb_refl x : opb x x = true.
Proof.
  destruct x as [c v|r v]; cbn; rewrite (proj2 (Nat.eqb_eq v v) eq_refl), andb_true_r; [apply beq_ok; auto|].
  unfold rbeq. rewrite !Nat.eqb_refl; auto.
Qed.
Definition response_of (e : oev) : option op := match e with
  | OAck c pv => Some (OW c pv) | ORAck r v => Some (OR r v) | _ => None end.
Definition invokes (e : oev) (o : op) : bool := match e, o with
  | OInv c, Model.OW c' _ => beq c c' | ORInv r, Model.OR r' _ => rbeq r r' | _, _ => false end.
Definition id_of (e : oev) : list oid := match e with OInv c => [inl c] | ORInv r => [inr r] | _ => [] end.
Fixpoint precb (l : list op) o1 o2 := match l with [] => false
  | x :: l => (opb x o1 && existsb (opb o2) l) || precb l o1 o2 end.
Definition completeb (h : list oev) l :=
  forallb (fun e => match response_of e with Some o => existsb (opb o) l | None => true end) h.
Fixpoint orderb (h : list oev) l := match h with [] => true
  | e :: h => forallb (fun o2 => negb (invokes e o2) ||
       forallb (fun e1 => match response_of e1 with Some o1 => precb l o1 o2 | None => true end) h) l && orderb h l end.
Definition search h :=
  let U := flat_map id_of h in
  existsb (fun ids => let l := play 0 ids in completeb h l && orderb h l) (cands (length U) U).

Lemma existsb_in l o : In o l -> existsb (opb o) l = true.
Proof. intros J. apply existsb_exists. exists o; split; auto. apply opb_refl. Qed.
Lemma precb_ok l o1 o2 : precedes l o1 o2 -> precb l o1 o2 = true.
Proof.
  intros (l1 & l2 & -> & J). induction l1 as [|x l1 IH]; cbn.
  - rewrite opb_refl, existsb_in; auto.
  - rewrite IH. apply orb_true_r.
Qed.
Notation forget := (forget conf chg_).
Lemma response_ok (e : @event plain) o : response_of (forget e) = Some o -> response o e.
Proof. destruct e; cbn; intros E; inversion E; subst; cbn; eauto. Qed.
Lemma invokes_ok (e : @event plain) o : invokes (forget e) o = true -> invocation o e.
Proof.
  destruct e, o; cbn; try discriminate.
  - intros E. apply beq_ok in E. subst; auto.
  - unfold rbeq. rewrite andb_true_iff, !Nat.eqb_eq. intros [E1 E2]. destruct r, r0; cbn in *; subst; auto.
Qed.
Lemma before_tail (h : list (@event plain)) e x y : Before h x y -> Before (e :: h) x y.
Proof. intros (h1 & h2 & -> & J). exists (e :: h1), h2; auto. Qed.

Theorem search_complete h : linearizable_history conf chg_ h -> search h = true.
Proof.
  intros (h0 & <- & l & Lg & Nd & Co & Pe & Or).
  apply existsb_exists. exists (map (@op_id plain) l). split.
  - assert (I : incl (map (@op_id plain) l) (flat_map id_of (map forget h0))).
    { intros i J. apply in_map_iff in J. destruct J as (o & <- & J). destruct (Pe o J) as (e & Iv & Je).
      apply in_flat_map. exists (forget e). split; [apply in_map; auto|].
      destruct o; cbn in Iv; subst; cbn; auto. }
    apply cands_all; auto. apply NoDup_incl_length; auto.
  - cbv zeta. replace (play 0 (map (@op_id plain) l)) with l by (apply (legal_play _ _ Lg)).
    apply andb_true_iff; split.
    + apply forallb_forall. intros e J. apply in_map_iff in J. destruct J as (e0 & <- & J).
      destruct (response_of (forget e0)) as [o|] eqn:E; auto. apply existsb_in. eapply Co; eauto using response_ok.
    + clear Lg Nd Co Pe. induction h0 as [|e h0 IH]; cbn; auto. apply andb_true_iff; split.
      * apply forallb_forall. intros o2 J2. destruct (invokes (forget e) o2) eqn:Iv; cbn; auto.
        apply forallb_forall. intros e1 J1. apply in_map_iff in J1. destruct J1 as (e1' & <- & J1).
        destruct (response_of (forget e1')) as [o1|] eqn:E; auto. apply precb_ok.
        apply (Or o1 o2 e1' e (response_ok _ _ E) (invokes_ok _ _ Iv)); auto.
      * apply IH. intros o1 o2 e1 e2 R1 I2 B. eapply Or; eauto using before_tail.
Qed.
Theorem not_linearizable h : search h = false -> ~ linearizable_history conf chg_ h.
Proof. intros E L. apply search_complete in L. congruence. Qed.
End Search.
