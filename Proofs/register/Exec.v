(** The model of Members.v as a program that runs: [exec rules events] carries out
    a list of events, or refuses.  Each rule is a guard that can be taken out.

    - [with_all_rules]: what it accepts with every rule on is a run of Members.v,
      so its client history is linearizable.  This makes it a trace checker.
    - Controls.v: with one rule out it accepts a run that is not.

    How to read it.  One key; contents are numbers, 0 is absent, and revisions
    are left to Cell.v (so floors, which only matter to them, are 0 here).
    The configurations are given as a chain (Chain.v). *)
From Coq Require Import List Arith Lia Bool.
From Synod Require Import Ballot Model Safety History Linearizable Members MembersGuard MembersTheorem Chain.
Import ListNotations.

Record rules := Rules {
  r1 : bool;   (* a ballot is spent by its first accept message: one cell                    *)
  r2 : bool;   (* the counter only grows: no second proposal at a ballot                     *)
  r3 : bool;   (* promises and accepts are durable                                           *)
  r4 : bool;   (* an answer only once the cell is known to be chosen                         *)
  r5 : bool;   (* the base is the highest cell of a quorum's promises, not a cached one      *)
  r6 : bool;   (* a one-round read needs a quorum that reports the same ballot               *)
  r11 : bool;  (* installing an epoch fences all older ballots                               *)
  r12 : bool;  (* a node whose storage was lost is another node                              *)
  r13 : bool;  (* erase only the very ballot that all have accepted                          *)
  r14 : bool;  (* an erased key keeps its promise (the floor)                               *)
  r6e : bool;  (* R6 across epochs: the ballot's own epoch too has that quorum              *)
  rd : bool;   (* a damaged record abstains: it is not an empty one                         *)
  rj : bool;   (* a joint quorum is a majority of both sets, and not of their union          *)
  rk : bool;   (* no key is left behind when a joint epoch is over                           *)
  rl : bool }. (* keys are listed by nodes that have installed the joint epoch               *)
Definition all_rules := Rules true true true true true true true true true true true true true true true.

Inductive ev :=
| EInv (c : ballot) | EInstall (a e : nat) | EPromise (a : nat) (g : ballot) | ERaise (a : nat) (g : ballot)
| EPropose (c : ballot) (v : nat) (p : ballot) (pv : nat) (q : list nat)
| EVote (a : nat) (c : ballot) (v : nat) | EAck (c : ballot) (pv : nat)
| ERInv (r : nat * nat)                          (* a read: its epoch, and a number   *)
| EReply (a : nat) (r : nat * nat) | ERAck (r : nat * nat) (b : ballot) (v : nat) (q : list nat)
| EErase (a : nat) (t : ballot)                  (* t: the ballot named in the message *)
| ETell (a : nat) | EJoin (a l : nat) (q : list nat)
| ESettle (l : nat) (f : ballot) | ESettleAbsent (l : nat) (r : nat * nat) (q q2 : list nat)
| EForget (a : nat) (g : ballot) | EWipe (a : nat)    (* only where R3, R12 do not hold     *)
| EDamage (a : nat).                             (* its record is damaged, and taken for an empty one *)

Inductive oev := OInv (c : ballot) | OAck (c : ballot) (pv : nat) | ORInv (r : nat * nat) | ORAck (r : nat * nat) (v
    : nat).

Section Exec.
Variable M0 : list nat.
Variable conf : nat -> config nat.
Hypothesis conf_0 : conf 0 = first_ nat M0.
Hypothesis conf_next : forall n, next nat (conf n) (conf (n + 1)).
Variable chg_ : ballot -> nat -> nat.

Notation old_ := (old_ nat conf). Notation new_ := (new_ nat conf). Notation surv_ := (surv_ nat conf).
Notation lo_ := (lo_ nat conf). Notation since_ := (since__ nat conf).
#[local] Instance plain : Register := {|
  A := nat; V := nat; R := nat * nat; A_dec := Nat.eq_dec; init := 0; chg := chg_; blur := eq; blur_refl := @eq_refl
      nat;
  Q := fun b q => Maj_ nat (surv_ (ep b)) q |}.
Lemma blur_absent0 (v r : nat) : v = 0 -> 0 <= r -> v = 0.
Proof. auto. Qed.
#[local] Instance plain_members : Membership := {|
  Reg := plain; absent := fun v : @V plain => v = 0; revision := fun _ : @V plain => 0; absentV := fun _ => 0 : @V
      plain;
  init_absent := eq_refl; init_revision := eq_refl; blur_absent := blur_absent0;
  repoch := (fun r => fst r) : @R plain -> nat;
  Sets := list nat; isin := (fun S a => In a S) : list nat -> @A plain -> Prop;
  Maj := Maj_ nat : list nat -> (@A plain -> Prop) -> Prop;
  Maj_meet := Maj_meet_ nat Nat.eq_dec; old := old_; new := new_; surv := surv_; lo := lo_; since := since_;
  lo_zero := lo_zero_ nat conf; lo_lt := lo_lt_ nat conf;
  surv_here := surv_here_ nat M0 conf conf_0 conf_next;
  surv_lo := surv_lo_ nat M0 conf conf_0 conf_next;
  old_lo := fun l e _ L => surv_below nat M0 conf conf_0 conf_next l e L;
  since_in := since_in_ nat Nat.eq_dec M0 conf conf_0 conf_next;
  since_out := since_out_ nat Nat.eq_dec M0 conf conf_0 conf_next;
  isin_dec := in_or_not nat Nat.eq_dec;
  Q_is := fun b q => conj (fun H => H) (fun H => H) |}.

Record est := Est {
  e_prom : nat -> ballot; e_acc : nat -> ballot * nat; e_gone : nat -> bool;
  e_props : list (ballot * (nat * nat));                              (* ballot, cell, base  *)
  e_proms : list (nat * (ballot * (ballot * (nat * option nat))));
  e_votes : list (nat * (ballot * nat));
  e_reps : list (nat * ((nat * nat) * (ballot * (ballot * (nat * option nat)))));
  e_hist : list oev; e_K : list nat; e_told : list (nat * nat); e_joined : list (nat * nat) }.
Definition est0 := Est (fun _ => zero) (fun _ => (zero, 0)) (fun _ => false) [] [] [] [] [] [] [] [].

Definition updn {X} (f : nat -> X) a x := fun a' => if Nat.eq_dec a a' then x else f a'.
Definition blt (x y : ballot) : bool :=
  (fst x <? fst y) || ((fst x =? fst y) && ((fst (snd x) <? fst (snd y)) ||
     ((fst (snd x) =? fst (snd y)) && (snd (snd x) <? snd (snd y))))).
Definition ble x y := blt x y || beq x y.
Definition mem a (l : list nat) := existsb (Nat.eqb a) l.
Definition majb (S q : list nat) :=
  length S <? 2 * length (filter (fun a => mem a S) (nodup Nat.eq_dec q)).
Definition quorumb e q := majb (old_ e) q && majb (new_ e) q.
Definition unionb e q := majb (nodup Nat.eq_dec (old_ e ++ new_ e)) q.
Definition memberb e a := mem a (old_ e) || mem a (new_ e).
Definition openb s e := (lo_ e =? 0) || mem (lo_ e) (e_K s).
Definition answerb s a e : option nat :=
  if beq (fst (e_acc s a)) zero || e_gone s a || (ep (fst (e_acc s a)) <? since_ a e) then Some 0 else None.
Definition voters s b := map fst (filter (fun x => beq (fst (snd x)) b) (e_votes s)).
Definition chosenb s b := beq b zero || majb (surv_ (ep b)) (voters s b).
Definition rbeq (r r' : nat * nat) := (fst r =? fst r') && (snd r =? snd r').
Definition inv_of c e := match e with OInv c' => beq c c' | _ => false end.
Definition rinv_of r e := match e with ORInv r' => rbeq r r' | _ => false end.
Definition rack_of r e := match e with ORAck r' _ => rbeq r r' | _ => false end.
Definition isnone (x : option nat) := match x with None => true | _ => false end.
Definition has_prom s a c (f : ballot -> nat -> option nat -> bool) :=
  existsb (fun x => let '(a', (g, (m, (v, y)))) := x in (a =? a') && beq c g && f m v y) (e_proms s).
Definition has_rep s a r (f : ballot -> nat -> option nat -> bool) :=
  existsb (fun x => let '(a', (r', (g, (m, (v, y))))) := x in (a =? a') && rbeq r r' && f m v y) (e_reps s).

Definition seesb s c p pv q :=
  forallb (memberb (ep c)) q &&
  ((existsb (fun a => has_prom s a c (fun m v y => beq m p && (v =? pv) && isnone y)) q &&
    forallb (fun a => has_prom s a c (fun m v y => negb (isnone y) || ble m p)) q)
   || (beq p zero && (pv =? 0) && forallb (fun a => has_prom s a c (fun m v y => negb (isnone y))) q)).
Definition rseesb s r b v q :=
  forallb (memberb (fst r)) q &&
  ((negb (beq b zero) && majb (surv_ (ep b)) q && negb (match q with [] => true | _ => false end) &&
    forallb (fun a => has_rep s a r (fun m w y => beq m b && isnone y)) q &&
    existsb (fun a => has_rep s a r (fun m w y => beq m b && (w =? v) && isnone y)) q)
   || ((v =? 0) && forallb (fun a => has_rep s a r (fun m w y => negb (isnone y))) q)).
(** everybody who could know something older has accepted the tombstone t *)
Definition tombb s t := beq t zero ||
  (blt zero t && chosenb s t && existsb (fun x => beq (fst x) t && (fst (snd x) =? 0)) (e_props s) &&
   forallb (fun a => mem a (voters s t)) (old_ (ep t) ++ new_ (ep t))).

Variable rs : rules.
Definition exec1 (s : est) (e : ev) : option est :=
  let ok (b : bool) s' := if b then Some s' else None in
  let 'Est P A G props proms votes reps h K T J := s in
  match e with
  | EInv c => ok (blt zero c && negb (existsb (inv_of c) h)) (Est P A G props proms votes reps (OInv c :: h) K T J)
  | EInstall a e => ok ((ep (P a) <? e) && (openb s e || negb (rk rs)))
      (Est (updn P a (fence e)) A G props
        ((a, (fence e, (fst (A a), (snd (A a), answerb s a e)))) :: proms) votes reps h K T J)
  | EPromise a g => ok ((ep g =? ep (P a)) && blt (P a) g)
      (Est (updn P a g) A G props ((a, (g, (fst (A a), (snd (A a), answerb s a (ep g))))) :: proms) votes reps h K T J)
  | ERaise a g => ok ((ep g =? ep (P a)) && ble (P a) g) (Est (updn P a g) A G props proms votes reps h K T J)
  | EPropose c v p pv q => ok (existsb (inv_of c) h && blt zero c
        && (negb (existsb (fun x => beq (fst x) c) props) || negb (r1 rs) || negb (r2 rs))
        && (quorumb (ep c) q || negb (rj rs) && unionb (ep c) q) && (seesb s c p pv q || negb (r5 rs)) && ((v =? chg_ c pv) || negb (r1 rs)))
      (Est P A G ((c, (v, pv)) :: props) proms votes reps h K T J)
  | EVote a c v => ok (existsb (fun x => beq (fst x) c && (fst (snd x) =? v)) props && memberb (ep c) a
        && ((ble (P a) c && (ep c =? ep (P a))) || (negb (r11 rs) && (ep c <? ep (P a)))))
      (Est (updn P a (if ble (P a) c then c else P a)) (updn A a (c, v)) (updn G a false) props proms ((a, (c, v)) ::
          votes) reps h K T J)
  | EAck c pv => ok ((chosenb s c || negb (r4 rs)) && existsb (fun x => beq (fst x) c && (snd (snd x) =? pv)) props)
      (Est P A G props proms votes reps (OAck c pv :: h) K T J)
  | ERInv r => ok (negb (existsb (rinv_of r) h)) (Est P A G props proms votes reps (ORInv r :: h) K T J)
  | EReply a r => ok (existsb (rinv_of r) h && ((ep (P a) =? fst r) || negb (rl rs)))
      (Est P A G props proms votes ((a, (r, (P a, (fst (A a), (snd (A a), answerb s a (fst r)))))) :: reps) h K T J)
  | ERAck r b v q => ok (existsb (rinv_of r) h && negb (existsb (rack_of r) h)
        && (quorumb (fst r) q || negb (rj rs) && unionb (fst r) q)
        && (rseesb s r b v q ||                   (* without R6: whatever one of the quorum reports *)
            (negb (r6 rs) && forallb (fun a => has_rep s a r (fun _ _ _ => true)) q &&
             existsb (fun a => has_rep s a r (fun m w y => beq m b && (w =? v))) q) ||
            (negb (r6e rs) && negb (beq b zero) && forallb (memberb (fst r)) q &&
             forallb (fun a => has_rep s a r (fun m w y => beq m b && isnone y)) q &&
             existsb (fun a => has_rep s a r (fun m w y => beq m b && (w =? v) && isnone y)) q)))
      (Est P A G props proms votes reps (ORAck r v :: h) K T J)
  | EErase a t => ok (tombb s t && (beq (fst (A a)) t || (negb (r13 rs) && (snd (A a) =? 0)))
        && Nat.even (ep t) && (ep (P a) =? ep (fst (A a))))
      (Est (if r14 rs then P else updn P a (fence (ep (P a)))) A (updn G a true) props proms votes reps h K T J)
  | ETell a => Some (Est P A G props proms votes reps h K ((a, ep (P a)) :: T) J)
  | EJoin a l q => ok (majb (old_ l) q && forallb (fun a' => existsb (fun x => (fst x =? a') && (snd x =? l)) T) q)
      (Est P A G props proms votes reps h K T ((a, l) :: J))
  | ESettle l f => ok (negb (mem l K) && (ep f =? l) && (0 <? l) && chosenb s f)
      (Est P A G props proms votes reps h (l :: K) T J)
  | ESettleAbsent l r q q2 => ok (negb (mem l K) && Nat.odd l && (fst r =? l) && majb (old_ l) q
        && forallb (fun a => has_rep s a r (fun m w y => negb (isnone y))) q
        && majb (surv_ l) q2 && forallb (fun a => existsb (fun x => (fst x =? a) && (snd x =? l)) J) q2)
      (Est P A G props proms votes reps h (l :: K) T J)
  | EForget a g => ok (negb (r3 rs) && ble (fst (A a)) g) (Est (updn P a g) A G props proms votes reps h K T J)
  | EWipe a => ok (negb (r12 rs))
      (Est (updn P a zero) (updn A a (zero, 0)) (updn G a false) props proms votes reps h K T J)
  | EDamage a => ok (negb (rd rs))               (* the fence is the node's, not the record's *)
      (Est (updn P a (fence (ep (P a)))) (updn A a (zero, 0)) (updn G a false) props proms votes reps h K T J)
  end.
Fixpoint exec (s : est) (l : list ev) : option est := match l with
  | [] => Some s
  | e :: l => match exec1 s e with Some s => exec s l | None => None end end.

(** ** What a history must meet *)
Definition forget (e : event) : oev := match e with
  | Inv c => OInv c | Ack c pv => OAck c pv | RInv r => ORInv r | RAck r _ v => ORAck r v end.
(** a history as clients saw it *)
Definition linearizable_history (h : list oev) := exists h0, map forget h0 = h /\ linearizable h0.
End Exec.
