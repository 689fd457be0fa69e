(** Negative controls, continued: a one-round read of a ballot from before the
    last completed change (R6), a damaged record, and the steps of a change of
    membership.

    The first is a hole of PROTOCOL.md as it stood, found by the proof of
    [read_exists]: a quorum of the new members may report one ballot that was
    never chosen, that the listing did not show, and that another unchosen one
    overtakes later.  [recent_is_enough]: the cheap guard, to refuse a ballot
    below the last completed joint epoch, keeps what the proof asks for. *)
From Coq Require Import List Arith Lia Bool.
From Synod Require Import Ballot Model Members MembersGuard Chain Exec Search Controls.
Import ListNotations.

(** nodes 1 to 7; in epoch 1 joint with 1, 2, 3; from epoch 2 on these alone *)
Definition conf7 (n : nat) : config nat := match n with
  | 0 => first_ nat [1; 2; 3; 4; 5; 6; 7]
  | 1 => Conf nat 1 [1; 2; 3; 4; 5; 6; 7] [1; 2; 3] (fun a => if in_dec Nat.eq_dec a [1; 2; 3; 4; 5; 6; 7] then 0 else
      1) false
  | S (S n) => after nat Nat.eq_dec (Conf nat 2 [1; 2; 3] [1; 2; 3] (fun a => if in_dec Nat.eq_dec a [1; 2; 3; 4; 5; 6;
      7] then 0 else 1) true) n end.
Lemma conf7_chain n : next nat (conf7 n) (conf7 (n + 1)).
Proof.
  destruct n as [|[|n]].
  - apply (n_begin nat (conf7 0) [1; 2; 3] (fun a => if in_dec Nat.eq_dec a [1; 2; 3; 4; 5; 6; 7] then 0 else 1)); auto;
      intros a J; cbn [conf7 first_ c_old] in J; destruct (in_dec Nat.eq_dec a [1; 2; 3; 4; 5; 6; 7]); tauto.
  - apply (n_complete nat (conf7 1)); auto.
  - replace (S (S n) + 1) with (S (S (S n))) by lia. cbn [conf7 after]. apply next_succ.
Qed.
(** proposer 9 only looks, the others put a value of their own where there is none *)
Definition create (c : ballot) (pv : nat) := match snd (snd c), pv with
  | 9, _ => pv | p, 0 => 10 * fst (snd c) + p | _, _ => pv end.

Theorem without_R6_across_epochs_not_linearizable :
  let l := [EInv (b 1 1)] ++ prepare (b 1 1) [1; 2; 4; 5] ++ [EPropose (b 1 1) 11 zero 0 [1; 2; 4; 5]] ++
     accept (b 1 1) 11 [1; 2] ++
     [EInv (b 2 3)] ++ prepare (b 2 3) [3; 4; 5; 6] ++ [EPropose (b 2 3) 23 zero 0 [3; 4; 5; 6]] ++
     accept (b 2 3) 23 [3] ++
     map (fun a => EInstall a 1) [1; 2; 3; 4; 5; 6; 7] ++
     [ERInv (1, 0)] ++ map (fun a => EReply a (1, 0)) [4; 5; 6; 7] ++ map ETell [4; 5; 6; 7] ++
     map (fun a => EJoin a 1 [4; 5; 6; 7]) [1; 2; 3] ++ [ESettleAbsent 1 (1, 0) [4; 5; 6; 7] [1; 2; 3]] ++
     map (fun a => EInstall a 2) [1; 2; 3] in
  let found := l ++ read (2, 0) (b 1 1) 11 [1; 2] ++ round create (2, (1, 9)) (b 2 3) 23 [2; 3] [2; 3] in
  let rs := Rules true true true true true true true true true true false true true true true in
  exec conf7 create all_rules est0 found = None /\
  (exists s, exec conf7 create all_rules est0 l = Some s) /\
  exists s, exec conf7 create rs est0 found = Some s /\ ~ linearizable_history conf7 create (e_hist s).
Proof.
  cbv zeta. split; [vm_compute; reflexivity|split; [eexists; vm_compute; reflexivity|]].
  eexists; split; [vm_compute; reflexivity|]. apply not_linearizable. vm_compute. reflexivity.
Qed.

Section Recent.
Context {Mem : Membership}.
Theorem recent_is_enough e (b : ballot) (q : A -> Prop) : quorum e q -> lo e <= ep b <= e -> Q b q.
Proof. intros [H1 H2] L. apply Q_is. destruct (surv_lo _ _ L) as [-> | ->]; auto. Qed.
End Recent.

(** A record whose checksum does not match is not an empty record: read as one, it lets a chosen value vanish. *)
Theorem without_abstention_not_linearizable :
  breaks (Rules true true true true true true true true true true true false true true true) put
    (round put (b 1 1) zero 0 [1; 2] [1; 2] ++ [EDamage 2] ++ read (0, 0) zero 0 [2; 3]).
Proof. control. Qed.

(** ** Changes of membership, from 1, 2, 3 to 4, 5, 6: PROTOCOL, Membership, steps 1 to 4 *)
Definition all_install e := map (fun a => EInstall a e).

(** four of the six are no majority of 1, 2, 3: they have not heard of the value *)
Theorem without_both_majorities_not_linearizable :
  let c := (1, (1, 2)) in
  breaks (Rules true true true true true true true true true true true true false true true) put
    (round put (b 1 1) zero 0 [1; 2] [1; 2] ++ all_install 1 [1; 2; 3; 4; 5; 6] ++
     [EInv c] ++ prepare c [3; 4; 5; 6] ++ [EPropose c 12 zero 0 [3; 4; 5; 6]] ++ accept c 12 [3; 4; 5; 6] ++
     [EAck c 0]).
Proof. cbv zeta. control. Qed.

(** a key that is not carried over is lost *)
Theorem without_carrying_not_linearizable :
  breaks (Rules true true true true true true true true true true true true true false true) put
    (round put (b 1 1) zero 0 [1; 2] [1; 2] ++ all_install 1 [1; 2; 3; 4; 5; 6] ++ all_install 2 [4; 5; 6] ++
     read (2, 0) zero 0 [4; 5]).
Proof. control. Qed.

(** nodes that are asked for their keys before the fence is up accept one afterwards *)
Theorem without_fence_before_listing_not_linearizable :
  breaks (Rules true true true true true true true true true true true true true true false) put
    ([EInv (b 1 1)] ++ prepare (b 1 1) [1; 2] ++ [EPropose (b 1 1) 11 zero 0 [1; 2]] ++
     [ERInv (1, 0); EReply 1 (1, 0); EReply 2 (1, 0)] ++ accept (b 1 1) 11 [1; 2] ++ [EAck (b 1 1) 0] ++
     all_install 1 [1; 2; 3; 4; 5; 6] ++
     [ETell 1; ETell 2; EJoin 4 1 [1; 2]; EJoin 5 1 [1; 2]; ESettleAbsent 1 (1, 0) [1; 2] [4; 5]] ++
     all_install 2 [4; 5; 6] ++ read (2, 0) zero 0 [4; 5]).
Proof. control. Qed.
