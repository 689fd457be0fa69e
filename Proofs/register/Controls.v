(** Negative controls: each rule is needed.  [without_Rn_...]: with every rule but
    Rn on, the program of Exec.v accepts a run whose client history is not
    linearizable; [Rn_stops_it]: with Rn on it refuses that very run.  The runs
    are the scenarios of PROTOCOL.md's table.  R7, R8, R9 and the revisions of R14
    concern the cell alone (Cell.v).  R10 is liveness only: there is nothing to
    break. *)
From Coq Require Import List Arith Lia Bool.
From Synod Require Import Ballot Model Cell Chain Exec Search.
Import ListNotations.

(** nodes 1, 2, 3; in epoch 1 joint with 4, 5, 6; from epoch 2 on these alone *)
Definition s_ (a : nat) : nat := if in_dec Nat.eq_dec a [1; 2; 3] then 0 else 1.
Definition conf (n : nat) : config nat := match n with
  | 0 => first_ nat [1; 2; 3]
  | 1 => Conf nat 1 [1; 2; 3] [4; 5; 6] s_ false
  | S (S n) => after nat Nat.eq_dec (Conf nat 2 [4; 5; 6] [4; 5; 6] s_ true) n end.
Lemma conf_chain n : next nat (conf n) (conf (n + 1)).
Proof.
  destruct n as [|[|n]]; cbn.
  - apply (n_begin nat (conf 0) [4; 5; 6] s_); auto; intros a J; unfold s_; destruct (in_dec Nat.eq_dec a [1; 2; 3]);
      tauto.
  - apply (n_complete nat (conf 1)); auto.
  - replace (n + 1) with (S n) by lia. apply next_succ.
Qed.

Definition b n p : ballot := (0, (n, p)).
(** the fold of a ballot: proposer 9 only looks, proposer 8 deletes, the others put a value of their own *)
Definition put (c : ballot) (pv : nat) := match snd (snd c) with 9 => pv | 8 => 0 | p => 10 * fst (snd c) + p end.
Definition plus (c : ballot) (pv : nat) := pv + 10 * fst (snd c) + snd (snd c).
Definition run rs chg_ l := exec conf chg_ rs est0 l.
(** refused with all rules; accepted without one, and then the history is wrong *)
Definition breaks rs chg_ l := run all_rules chg_ l = None /\
  exists s, run rs chg_ l = Some s /\ ~ linearizable_history conf chg_ (e_hist s).
Lemma breaks_by rs chg_ l : run all_rules chg_ l = None ->
  match run rs chg_ l with Some s => search conf chg_ (e_hist s) | None => true end = false -> breaks rs chg_ l.
Proof.
  intros N E. split; auto. destruct (run rs chg_ l) as [s|]; [|discriminate].
  exists s; split; auto. apply not_linearizable; auto.
Qed.
Ltac control := apply breaks_by; vm_compute; reflexivity.

Definition prepare c (q : list nat) := map (fun a => EPromise a c) q.
Definition accept c v (q : list nat) := map (fun a => EVote a c v) q.
Definition read r bt v q := [ERInv r] ++ map (fun a => EReply a r) q ++ [ERAck r bt v q].
(** a whole round: q promises, q' accepts *)
Definition round chg_ c p pv q q' :=
  [EInv c] ++ prepare c q ++ [EPropose c (chg_ c pv) p pv q] ++ accept c (chg_ c pv) q' ++ [EAck c pv].

(** With all rules the protocol does run: writes, a delete, erasure, a change of membership that carries a key over,
    and reads all the way. *)
Definition good_run :=
  round put (b 1 1) zero 0 [1; 2] [1; 2; 3] ++ read (0, 0) (b 1 1) 11 [2; 3] ++
  round put (b 2 8) (b 1 1) 11 [1; 2; 3] [1; 2; 3] ++ [EErase 1 (b 2 8); EErase 3 (b 2 8)] ++ read (0, 1) zero 0 [1;
      3] ++
  round put (b 3 3) zero 0 [1; 3] [1; 2] ++ map (fun a => EInstall a 1) [1; 2; 3; 4; 5; 6] ++
  [EInv (1, (1, 9))] ++ prepare (1, (1, 9)) [1; 2; 4; 5] ++ [EPropose (1, (1, 9)) 33 (b 3 3) 33 [1; 2; 4; 5]] ++
  accept (1, (1, 9)) 33 [1; 2; 4; 5] ++ [EAck (1, (1, 9)) 33; ESettle 1 (1, (1, 9))] ++
  [EInstall 4 2; EInstall 5 2; EInstall 6 2] ++ read (2, 0) (1, (1, 9)) 33 [4; 5].
Theorem all_rules_run : match run all_rules put good_run with Some _ => true | None => false end = true.
Proof. vm_compute. reflexivity. Qed.

(** accept (b, v1) reached only A; a retry sends (b, v2) to B and C: reads say v1, v2, v1 *)
Theorem without_R1_not_linearizable :
  breaks (Rules false true true true true true true true true true true true true true true) put
    ([EInv (b 1 1); EInv (b 5 1)] ++ prepare (b 1 1) [1; 2] ++
     [EPropose (b 1 1) 11 zero 0 [1; 2]; EVote 1 (b 1 1) 11;
      EPropose (b 1 1) 51 zero 0 [1; 2]; EVote 2 (b 1 1) 51; EVote 3 (b 1 1) 51] ++
     read (0, 0) (b 1 1) 11 [1; 2] ++ read (0, 1) (b 1 1) 51 [2; 3] ++ read (0, 2) (b 1 1) 11 [1; 2]).
Proof. control. Qed.

(** a counter that was set back uses a ballot again, from another base *)
Theorem without_R2_not_linearizable :
  breaks (Rules true false true true true true true true true true true true true true true) plus
    ([EInv (b 1 0)] ++ prepare (b 1 0) [2; 3] ++ [EPropose (b 1 0) 10 zero 0 [2; 3]; EVote 3 (b 1 0) 10] ++
     [EInv (b 1 1)] ++ prepare (b 1 1) [1; 2] ++ [EPropose (b 1 1) 11 zero 0 [1; 2]; EVote 1 (b 1 1) 11] ++
     prepare (b 1 1) [3] ++ [EPropose (b 1 1) 21 (b 1 0) 10 [2; 3]; EVote 2 (b 1 1) 21; EVote 3 (b 1 1) 21;
     EAck (b 1 1) 10] ++ read (0, 0) (b 1 1) 11 [1; 2]).
Proof. control. Qed.

(** a promise forgotten in a restart lets an older round finish *)
Theorem without_R3_not_linearizable :
  breaks (Rules true true false true true true true true true true true true true true true) put
    ([EInv (b 1 1); EInv (b 2 2)] ++ prepare (b 1 1) [1; 2] ++ [EPropose (b 1 1) 11 zero 0 [1; 2]] ++
     prepare (b 2 2) [2; 3] ++ [EPropose (b 2 2) 22 zero 0 [2; 3]; EForget 2 (b 1 1)] ++
     accept (b 1 1) 11 [1; 2] ++ [EAck (b 1 1) 0] ++ accept (b 2 2) 22 [2; 3] ++ [EAck (b 2 2) 0]).
Proof. control. Qed.

(** v accepted on A alone: a look through A and B says v, the next through B and C the old value *)
Theorem without_R4_not_linearizable :
  breaks (Rules true true true false true true true true true true true true true true true) put
    ([EInv (b 1 1)] ++ prepare (b 1 1) [1; 2] ++ [EPropose (b 1 1) 11 zero 0 [1; 2]; EVote 1 (b 1 1) 11] ++
     [EInv (b 2 9)] ++ prepare (b 2 9) [1; 2] ++ [EPropose (b 2 9) 11 (b 1 1) 11 [1; 2]; EAck (b 2 9) 11] ++
     [EInv (b 3 9)] ++ prepare (b 3 9) [2; 3] ++ [EPropose (b 3 9) 0 zero 0 [2; 3]; EAck (b 3 9) 0]).
Proof. control. Qed.

(** a promise used with a stale base cell loses an update *)
Theorem without_R5_not_linearizable :
  breaks (Rules true true true true false true true true true true true true true true true) put
    (round put (b 1 1) zero 0 [1; 2] [1; 2] ++ round put (b 2 2) (b 1 1) 11 [2; 3] [2; 3] ++
     round put (b 3 1) (b 1 1) 11 [1; 2] [1; 2]).
Proof. control. Qed.

(** a minority value is read and then vanishes *)
Theorem without_R6_not_linearizable :
  breaks (Rules true true true true true false true true true true true true true true true) put
    ([EInv (b 1 1)] ++ prepare (b 1 1) [1; 2] ++ [EPropose (b 1 1) 11 zero 0 [1; 2]; EVote 1 (b 1 1) 11] ++
     read (0, 0) (b 1 1) 11 [1; 2] ++ read (0, 1) zero 0 [2; 3]).
Proof. control. Qed.

(** a stale proposer creates a key after the keys were listed, and it is lost *)
Theorem without_R11_not_linearizable :
  breaks (Rules true true true true true true false true true true true true true true true) put
    ([EInv (b 1 1)] ++ prepare (b 1 1) [1; 2] ++ [EPropose (b 1 1) 11 zero 0 [1; 2]] ++
     map (fun a => EInstall a 1) [1; 2; 3; 4; 5; 6] ++ [ERInv (1, 0); EReply 1 (1, 0); EReply 2 (1, 0)] ++
     [ETell 1; ETell 2; EJoin 4 1 [1; 2]; EJoin 5 1 [1; 2]; ESettleAbsent 1 (1, 0) [1; 2] [4; 5]] ++
     accept (b 1 1) 11 [1; 2] ++ [EAck (b 1 1) 0] ++
     [EInstall 4 2; EInstall 5 2] ++ read (2, 0) zero 0 [4; 5]).
Proof. control. Qed.

(** a node that lost its storage answers as if nothing had been *)
Theorem without_R12_not_linearizable :
  breaks (Rules true true true true true true true false true true true true true true true) put
    (round put (b 1 1) zero 0 [1; 2] [1; 2] ++ [EWipe 2] ++ read (0, 0) zero 0 [2; 3]).
Proof. control. Qed.

(** a newer tombstone that another acceptor missed is erased, and an old value returns *)
Theorem without_R13_not_linearizable :
  breaks (Rules true true true true true true true true false true true true true true true) put
    (round put (b 1 8) zero 0 [1; 2] [1; 2; 3] ++ round put (b 2 2) (b 1 8) 0 [1; 3] [1; 3] ++
     round put (b 3 8) (b 2 2) 22 [1; 2] [1; 2] ++ [EErase 1 (b 1 8); EErase 2 (b 1 8)] ++
     round put (b 4 9) (b 2 2) 22 [2; 3] [2; 3]).
Proof. control. Qed.

(** an erased key forgets what it promised: a late accept of an older round is taken *)
Theorem without_R14_not_linearizable :
  breaks (Rules true true true true true true true true true false true true true true true) put
    (round put (b 1 1) zero 0 [1; 2] [1; 2; 3] ++
     [EInv (b 2 2)] ++ prepare (b 2 2) [1; 2] ++ [EPropose (b 2 2) 22 (b 1 1) 11 [1; 2]] ++
     round put (b 3 8) (b 1 1) 11 [1; 2; 3] [1; 2; 3] ++ [EErase 1 (b 3 8); EErase 2 (b 3 8)] ++
     accept (b 2 2) 22 [1; 2] ++ [EAck (b 2 2) 11]).
Proof. control. Qed.

(** ** The cell.  Ids and contents are numbers; a window of one, so that the runs stay short. *)
#[local] Instance small : Values := {| Id := nat; W := nat; Eff := unit; Id_dec := Nat.eq_dec; length_ := 1 |}.
Definition change_ i l := Request i (Change (fun _ _ => Some (Some i, tt))) l None.
Definition c0 := absentAt 0.

(** R7: a retry that does not know how low an earlier attempt may lie is applied again, once the window has moved on *)
Theorem without_R7_applied_twice :
  let f1 := [change_ 7 None] in let f2 := [change_ 8 None] in
  let c1 := change f1 c0 in let c2 := change f2 c1 in
  (let f3 := [change_ 7 None] in ids (placed f3 c2 ++ placed f2 c1 ++ placed f1 c0) = [7; 8; 7]) /\
  (let f3 := [change_ 7 (Some 1)] in placed f3 c2 = [] /\ snd (Cell.run f3 c2) = [Undecidable]).
Proof. vm_compute. auto. Qed.

(** R8: settled with a revision that its client did not know before it sent the operation, an applied change is
    called dead *)
Theorem without_R8_dead_was_applied :
  let f1 := [change_ 7 None] in let f2 := [change_ 8 None] in
  let c1 := change f1 c0 in let c2 := change f2 c1 in
  In 7 (ids (placed f2 c1 ++ placed f1 c0)) /\
  snd (Cell.run [Request 9 (Settle 7 2 [] false) None None] c2) = [SettledDead true] /\
  snd (Cell.run [Request 9 (Settle 7 0 [] false) None None] c2) = [Forgotten].
Proof. vm_compute. auto. Qed.

(** R9: a change whose id is in the window must be answered from it; and a window cut below its last fold forgets
    what that fold did *)
Definition apply_blindly i (c : cell) := Cell (rev c + 1) (Some i) ((i, tt) :: window c) (marks c).
Theorem without_R9_applied_twice :
  (let c := apply_blindly 7 (apply_blindly 7 c0) in map fst (window c) = [7; 7]) /\
  snd (Cell.run [change_ 7 None; change_ 7 None] c0) = [Applied 1 tt; Replayed 1 tt].
Proof. vm_compute. auto. Qed.
Theorem without_R9_fold_forgotten :
  let f := [change_ 7 None; change_ 8 None] in let c := fst (Cell.run f c0) in
  snd (Cell.run [change_ 7 None] (cut 1 c)) = [Applied 3 tt] /\ snd (Cell.run [change_ 7 None] (change f c0)) =
      [Replayed 1 tt].
Proof. vm_compute. auto. Qed.

(** R14: a register that starts again at revision 0 gives a revision twice *)
Theorem without_R14_revision_repeats :
  let f1 := [change_ 7 None] in let d := [Request 8 (Change (fun _ _ => Some (None, tt))) None None] in
  let c2 := change d (change f1 c0) in
  map fst (placed [change_ 9 None] (absentAt 0) ++ placed d (change f1 c0) ++ placed f1 c0) = [1; 2; 1] /\
  map fst (placed [change_ 9 None] (absentAt (rev c2)) ++ placed d (change f1 c0) ++ placed f1 c0) = [3; 2; 1].
Proof. vm_compute. auto. Qed.
