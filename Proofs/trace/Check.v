(** The checker of one register's trace: a program over maps, fast enough for
    long runs.  Definitions only; Sound.v proves that what it accepts is a run of
    Members.v over the cells of Cell.v.

    How to read it.  [check v s e] takes in one event (trace-format.md tells who
    emits it and when) and either goes on or names the rule that refuses it.  What
    the lines do not show it works out: the place of a read, the message behind a
    promise that rode on an accept, an accept whose answer never left the node
    ([catch_up]), and when a register is settled in a joint epoch.

    It forgets what no later event can need: promises for a ballot once that is
    proposed or passed over, answers to a read that is over, and proposals that
    nobody can accept any more ([prune]).  The proofs need no more than that what
    it remembers was so, and that a proposer's ballots grow (R2). *)
From Coq Require Import NArith PArith List Bool Lia Arith FMapPositive.
From Synod Require Import Ballot Cell.
From Trace Require Import Numbers Chains.
Import ListNotations.

Inductive rule := R1 | R2 | R3 | R4 | R5 | R6 | R7 | R8 | R9 | R11 | R13 | R14
  | RMembership | RDamage | RNonsense.              (* RNonsense: the line speaks of what never was *)

Notation answer_ := (node * (nballot * (ncell * option N)))%type.   (* Some f: no record, the floor's revision is f *)
Record slot := Slot {                            (* one node's part of this register   *)
  p_prom : nballot; p_acc : nballot; p_cell : ncell; p_gone : bool; p_fl : N;
  p_dam : option nballot }.                      (* damaged: the reserve it is pinned to *)
Definition slot0 := Slot nzero nzero (nabsent 0) false 0 None.
Record proposal := Proposal { b_cell : ncell; b_base : ncell; b_told : list nverdict; b_voters : list node }.
Record reading := Reading { d_id : N * N; d_tag : N; d_reps : list answer_ }.
Record st := St_ {
  t_slots : PM.t slot;
  t_props : list (nballot * proposal);           (* newest first                       *)
  t_size : N; t_limit : N;                       (* how many; from how many on to [prune] *)
  t_last : PM.t nballot;                         (* by proposer: its highest proposal  *)
  t_proms : PM.t (nballot * list answer_);       (* by proposer: what its next ballot was promised *)
  t_reads : PM.t reading; t_next : N;            (* by reader: its read under way      *)
  t_K : list N; t_told : list (node * (N * N)); t_joined : list (node * N); t_list : option reading }.
Definition st0 := St_ (PM.empty _) [] 0 24 (PM.empty _) (PM.empty _) (PM.empty _) 0 [] [] [] None.

(** what clients see: the fold of [c] was applied to [pv], and told so; a read returned [v] *)
Inductive out := NInv (c : nballot) | NAck (c : nballot) (pv : ncell) (told : list nverdict) | NRInv (r : N * N)
  | NRAck (r : N * N) (v : ncell).
Inductive res := Ok (s : st) (o : list out) | No (r : rule).
Definition andthen r f := match r with
  | Ok s o => match f s with Ok s o' => Ok s (o' ++ o) | No r => No r end | No r => No r end.
Definition need (b : bool) r (k : res) := if b then k else No r.

Inductive event_ :=
| EInstall (a : node) (e : N) | ETell (a : node) (f : N) | EJoin (a : node) (l f : N) | EUnlisted (a : node) (f : N)
| EPromise (a : node) (g m : nballot) (f : N)              (* m: what it has accepted; zero: no record, floor f *)
| EPrepare (c : nballot)
| EPropose (c p : nballot) (r : N) (qs : list nrequest) (cell : ncell)   (* p: the base; zero: absent at revision r *)
| EVote (a : node) (c next : nballot)
| EAck (c : nballot) (told : list nverdict)
| ERead (n : node) (e tag : N) | EReply (a n : node) (tag : N) (m : nballot) (f : N)
| EReturned (n : node) (tag : N) (b : nballot) (r : N) (w : option N)
| EErase (a : node) (t : nballot)
| EDamaged (a : node) (reserve : nballot).

(** ** Parts *)
Fixpoint pfind c (l : list (nballot * proposal)) := match l with
  | [] => None | (c', p) :: l => if nbeq c c' then Some p else pfind c l end.
Fixpoint pset c p (l : list (nballot * proposal)) := match l with
  | [] => [] | x :: l => if nbeq c (fst x) then (c, p) :: l else x :: pset c p l end.
Definition slot_of s a := match PM.find a (t_slots s) with Some p => p | None => slot0 end.
Definition put s a p := St_ (PM.add a p (t_slots s)) (t_props s) (t_size s) (t_limit s) (t_last s) (t_proms s)
  (t_reads s) (t_next s) (t_K s) (t_told s) (t_joined s) (t_list s).
Definition majb (S q : list node) := (length S <? 2 * length (filter (fun a => memp a q) S))%nat.
Definition quorumb fc q := majb (fc_old fc) q && majb (fc_new fc) q.
Definition memberb fc a := memp a (fc_old fc) || memp a (fc_new fc).
(** a phase-2 quorum of epoch [e]: of the set that goes on, once that is known *)
Definition survb (v : env) e q := match at_ v (e + 1) with
  | Some fc => majb (fc_old fc) q
  | None => match at_ v e with Some fc => quorumb fc q | None => false end end.
Definition key_of (c : nballot) : positive := N.succ_pos (snd (snd c)).
Definition answer fc p a := if nbeq (p_acc p) nzero || p_gone p || (nep (p_acc p) <? fsince fc a)%N
  then Some (p_fl p) else None.
Definition isnone (y : option N) := match y with None => true | _ => false end.
Definition raise s a f := let p := slot_of s a in
  put s a (Slot (p_prom p) (p_acc p) (p_cell p) (p_gone p) f (p_dam p)).

Definition above (last : PM.t nballot) c := match PM.find (key_of c) last with Some l => nblt l c | None => true end.
Definition remember (proms : PM.t (nballot * list answer_)) (last : PM.t nballot) g x :=
  if negb (above last g) then proms else match PM.find (key_of g) proms with
  | None => PM.add (key_of g) (g, [x]) proms
  | Some (g', l) => if nbeq g g' then PM.add (key_of g) (g, x :: l) proms
                    else if nblt g' g then PM.add (key_of g) (g, [x]) proms else proms end.
Definition op_promise fc s a g := let p := slot_of s a in
  St_ (PM.add a (Slot g (p_acc p) (p_cell p) (p_gone p) (p_fl p) (p_dam p)) (t_slots s)) (t_props s) (t_size s)
    (t_limit s) (t_last s) (remember (t_proms s) (t_last s) g (a, (p_acc p, (p_cell p, answer fc p a))))
    (t_reads s) (t_next s) (t_K s) (t_told s) (t_joined s) (t_list s).
Definition op_vote s a c pr := let p := slot_of s a in
  St_ (PM.add a (Slot c c (b_cell pr) false (p_fl p) None) (t_slots s))
    (pset c (Proposal (b_cell pr) (b_base pr) (b_told pr) (a :: b_voters pr)) (t_props s)) (t_size s) (t_limit s)
    (t_last s) (t_proms s) (t_reads s) (t_next s) (t_K s) (t_told s) (t_joined s) (t_list s).

(** ** Phase 2 at an acceptor *)
Definition may_vote p c := match p_dam p with Some r => nblt r c | None => true end.
Definition vote v s a c : res := let p := slot_of s a in
  need (may_vote p c) RDamage
  (if nbeq c (p_acc p) && negb (p_gone p) then Ok s [] else       (* a copy *)
   match pfind c (t_props s) with None => No (if nblt c (p_prom p) then R3 else R1) | Some pr =>
   match at_ v (nep c) with None => No RMembership | Some fc =>
     need (memberb fc a) RMembership
    (need (nep c =? nep (p_prom p))%N R11
    (need (nble (p_prom p) c) (if p_gone p then R14 else R3)
    (Ok (op_vote s a c pr) []))) end end).
(** R5: the promise that rides on an accept *)
Definition promise_if v s a g := let p := slot_of s a in
  match at_ v (nep g) with
  | Some fc => if (nep g =? nep (p_prom p))%N && nblt (p_prom p) g then op_promise fc s a g else s
  | None => s end.
Definition next_of (c : nballot) : nballot := (fst c, (fst (snd c) + 1, snd (snd c)))%N.
(** the node shows an accept whose answer never left it *)
Definition catch_up v s a m := let p := slot_of s a in
  if nbeq m nzero || nbeq m (p_acc p) then s
  else match vote v s a m with Ok s _ => promise_if v s a (next_of m) | No _ => s end.

(** ** Phase 1 *)
Definition with_proms s proms := St_ (t_slots s) (t_props s) (t_size s) (t_limit s) (t_last s) proms
  (t_reads s) (t_next s) (t_K s) (t_told s) (t_joined s) (t_list s).
Definition whole_ p := match p_dam p with None => true | _ => false end.
(** does what the node says agree with what it holds?  [k]: with its floor raised to what it says *)
Definition agrees fc p a m f := match answer fc p a with
  | None => if nbeq m (p_acc p) then None else Some R3
  | Some fl => if negb (nbeq m nzero) then Some R3 else if (fl <=? f)%N then None else Some R14 end.
Definition floored fc p s a f := match answer fc p a with None => s | Some _ => raise s a f end.
Definition promise v s a g m f : res := let s := catch_up v s a m in let p := slot_of s a in
  need (whole_ p) RDamage
  (need (nep g =? nep (p_prom p))%N R11
  (need (nblt (p_prom p) g) (if p_gone p then R14 else R3)
  (match at_ v (nep g) with None => No RMembership | Some fc =>
     match agrees fc p a m f with Some r => No r | None => Ok (op_promise fc (floored fc p s a f) a g) [] end end))).

(** R2: a proposer's ballots grow *)
Definition prepare s c : res :=
  need (above (t_last s) c) R2
  (match PM.find (key_of c) (t_proms s) with
   | Some (g, _) => if nbeq g c then Ok s [] else
       need (nblt g c) R2 (Ok (with_proms s (PM.add (key_of c) (c, []) (t_proms s))) [])
   | None => Ok (with_proms s (PM.add (key_of c) (c, []) (t_proms s))) [] end).

Definition usable fc (p : nballot) r (x : answer_) := let '(a, (m, (_, y))) := x in
  memberb fc a && match y with
  | None => negb (nbeq p nzero) && nble m p
  | Some f => if nbeq p nzero then (f <=? r)%N else true end.
Definition cell_at p l : option ncell := match
    filter (fun x : answer_ => let '(_, (m, (_, y))) := x in nbeq m p && isnone y) l with
  | (_, (_, (w, _))) :: _ => Some w | [] => None end.
Fixpoint blame qs vs := match qs, vs with
  | q :: qs, v :: vs => match nact q, v with
      | NChange (Some _), NReplayed _ _ => R7 | NChange (Some _), NUndecidable => R7
      | NChange (Some _), NRefusedDead => R8 | _, _ => blame qs vs end
  | _, _ => R9 end.
Definition propose v s c p r qs cell : res :=
  need (above (t_last s) c)
    match PM.find (key_of c) (t_last s) with Some l => if nbeq l c then R1 else R2 | None => R2 end
  (need (nblt nzero c) RNonsense
  (match PM.find (key_of c) (t_proms s), at_ v (nep c) with
   | Some (g, l), Some fc =>
     need (nbeq g c) R5
     (let l := filter (usable fc p r) l in
      need (quorumb fc (map fst l)) R5
      (match (if nbeq p nzero then Some (nabsent r) else cell_at p l) with
       | None => No R5
       | Some base =>
         let '(d, told) := nrun qs base in
         let made := ncut (length (filter napplied told)) d in
         need (cell_eqb made cell) (if N.eqb (nrev made) (nrev cell) then R9 else blame qs told)
         (Ok (St_ (t_slots s) ((c, Proposal made base told []) :: t_props s) (t_size s + 1) (t_limit s)
                (PM.add (key_of c) c (t_last s)) (PM.remove (key_of c) (t_proms s)) (t_reads s) (t_next s) (t_K s)
                (t_told s) (t_joined s) (t_list s)) [NInv c])
       end))
   | _, _ => No R5 end)).

(** ** What a proposer concludes *)
Definition members fc := fc_old fc ++ fc_new fc.
(** can anyone yet accept it, or acknowledge it, or erase it? *)
Definition needed v s c := match at_ v (nep c) with
  | None => true
  | Some fc => let held a := let p := slot_of s a in nble (p_prom p) c || nbeq (p_acc p) c in
      existsb held (fc_old fc) || existsb held (fc_new fc) end
  || match PM.find (key_of c) (t_last s) with Some l => nbeq l c | None => true end.
Definition prune v s := if (t_size s <=? t_limit s)%N then s else
  let ps := filter (fun x => needed v s (fst x)) (t_props s) in
  let n := N.of_nat (length ps) in
  St_ (t_slots s) ps n (2 * n + 24) (t_last s) (t_proms s) (t_reads s) (t_next s) (t_K s) (t_told s) (t_joined s)
    (t_list s).
Definition verdict_eqb x y := match x, y with
  | NApplied r e, NApplied r' e' => N.eqb r r' && N.eqb e e'
  | NReplayed r e, NReplayed r' e' => N.eqb r r' && N.eqb e e'
  | NObserved, NObserved => true | NRefusedDead, NRefusedDead => true | NUndecidable, NUndecidable => true
  | NSettledApplied r, NSettledApplied r' => N.eqb r r' | NSettledDead f, NSettledDead f' => Bool.eqb f f'
  | NForgotten, NForgotten => true | _, _ => false end.
Definition memn (l : N) K := existsb (N.eqb l) K.
Definition settled s l := St_ (t_slots s) (t_props s) (t_size s) (t_limit s) (t_last s) (t_proms s)
  (t_reads s) (t_next s) (l :: t_K s) (t_told s) (t_joined s) (t_list s).
Definition ack v s c told : res :=
  match pfind c (t_props s), at_ v (nep c) with
  | Some pr, Some fc =>
    need (quorumb fc (b_voters pr)) R4
    (need (match told with [] => true | _ => list_eqb verdict_eqb told (b_told pr) end) R4
    (let s := if N.odd (nep c) && negb (memn (nep c) (t_K s)) then settled s (nep c) else s in
     Ok (prune v s) [NAck c (b_base pr) (b_told pr)]))
  | None, _ => No R1 | _, None => No RMembership end.

(** ** One-round reads (R6) *)
Definition with_reads s reads next := St_ (t_slots s) (t_props s) (t_size s) (t_limit s) (t_last s) (t_proms s)
  reads next (t_K s) (t_told s) (t_joined s) (t_list s).
Definition read s n e tag : res :=
  Ok (with_reads s (PM.add n (Reading (e, t_next s) tag []) (t_reads s)) (t_next s + 1)) [NRInv (e, t_next s)].
Definition op_reply fc s a n d := let p := slot_of s a in
  with_reads s (PM.add n (Reading (d_id d) (d_tag d) ((a, (p_acc p, (p_cell p, answer fc p a))) :: d_reps d))
    (t_reads s)) (t_next s).
Definition reply v s a n tag m f : res := match PM.find n (t_reads s) with
  | None => Ok s []                              (* too late to matter *)
  | Some d => if negb (d_tag d =? tag)%N then Ok s [] else
    let s := catch_up v s a m in let p := slot_of s a in
    need (whole_ p) RDamage
    (need (nep (p_prom p) =? fst (d_id d))%N R11
    (match at_ v (fst (d_id d)) with None => No RMembership | Some fc =>
       match agrees fc p a m f with Some r => No r | None => Ok (op_reply fc (floored fc p s a f) a n d) [] end end))
  end.
Definition reports fc (b : nballot) (x : answer_) := let '(a, (m, (_, y))) := x in
  memberb fc a && if nbeq b nzero then negb (isnone y) else nbeq m b && isnone y.
Fixpoint top (l : list answer_) : N := match l with
  | [] => 0 | (_, (_, (_, y))) :: l => N.max (match y with Some f => f | None => 0 end) (top l) end.
Definition returned v s n tag b r w : res := match PM.find n (t_reads s) with
  | None => No RNonsense
  | Some d => need (d_tag d =? tag)%N RNonsense
    (match at_ v (fst (d_id d)) with None => No RMembership | Some fc =>
       let l := filter (reports fc b) (d_reps d) in
       need (quorumb fc (map fst l)) R6
       (need (nbeq b nzero || survb v (nep b) (map fst l)) R6
       (match (if nbeq b nzero then Some (nabsent (top l)) else cell_at b l) with
        | None => No R6
        | Some c => need (opt_eqb (ncontent c) w && (isnone w || (nrev c =? r)%N)) R4
          (Ok (with_reads s (PM.remove n (t_reads s)) (t_next s)) [NRAck (d_id d) c]) end)) end) end.

(** ** Erasure (R13, R14) *)
Definition erase v s a t : res := let p := slot_of s a in
  need (whole_ p) RDamage
  (need (nbeq t (p_acc p) && negb (nbeq t nzero)) R13
  (if p_gone p then Ok s [] else
   match pfind t (t_props s), at_ v (nep t) with
   | Some pr, Some fc =>
     need (isnone (ncontent (b_cell pr)) && quorumb fc (b_voters pr) &&
           forallb (fun a => memp a (b_voters pr)) (members fc)) R13
     (need (N.even (nep t) && (nep (p_prom p) =? nep t)%N) RMembership
     (Ok (put s a (Slot (p_prom p) (p_acc p) (p_cell p) true (N.max (p_fl p) (nrev (p_cell p))) None)) []))
   | _, _ => No R13 end)).

(** ** Membership (R11, steps 2 and 3) *)
Definition settle_absent v s l : option st := match t_list s, at_ v l, at_ v (l + 1) with
  | Some d, Some fc, Some fc' =>
    if N.odd l && (fst (d_id d) =? l)%N && majb (fc_old fc) (map fst (d_reps d)) &&
       majb (fc_old fc') (map fst (filter (fun x => N.eqb (snd x) l) (t_joined s)))
    then Some (settled s l) else None
  | _, _, _ => None end.
(** some ballot of epoch l is chosen, though nobody said so: its proposer may have died *)
Definition voted v s l := match at_ v l with
  | Some fc => existsb (fun x => (nep (fst x) =? l)%N &&
      match pfind (fst x) (t_props s) with Some pr => quorumb fc (b_voters pr) | None => false end) (t_props s)
  | None => false end.
Definition opened_ v s l := if (l =? 0)%N || memn l (t_K s) then Some s
  else if N.odd l && voted v s l then Some (settled s l) else settle_absent v s l.
Definition install v s a e : res := let p := slot_of s a in
  if (nep (p_prom p) =? e)%N then Ok s [] else   (* said again, by a node that starts again *)
  need (nep (p_prom p) <? e)%N R11
  (match at_ v e with None => No RMembership | Some fc =>
   match opened_ v s (fc_lo fc) with None => No RMembership | Some s =>
     let p := slot_of s a in
     let dam := match p_dam p with                  (* it enters again: what was damaged is dropped *)
       | Some r => if (nep r <? fsince fc a)%N then None else Some r | None => None end in
     Ok (put s a (Slot (nfence e) (p_acc p) (p_cell p) (p_gone p) (p_fl p) dam)) [] end end).
Definition tell s a f : res := let p := slot_of s a in
  need (p_fl p <=? f)%N R14
  (let s := raise s a f in
   Ok (St_ (t_slots s) (t_props s) (t_size s) (t_limit s) (t_last s) (t_proms s) (t_reads s) (t_next s) (t_K s)
     ((a, (nep (p_prom p), f)) :: filter (fun x => nep (p_prom p) <=? fst (snd x))%N (t_told s)) (t_joined s) (t_list s)) []).
Definition join v s a l f : res :=
  need (p_fl (slot_of s a) <=? f)%N R14
  (let s := raise s a f in
   match at_ v l with None => No RMembership | Some fc =>
     need (majb (fc_old fc) (map fst (filter (fun x => N.eqb (fst (snd x)) l && (snd (snd x) <=? f)%N) (t_told s))))
       R14
     (Ok (St_ (t_slots s) (t_props s) (t_size s) (t_limit s) (t_last s) (t_proms s) (t_reads s) (t_next s) (t_K s)
       (t_told s) ((a, l) :: filter (fun x => l <=? snd x)%N (t_joined s)) (t_list s)) []) end).
Definition listing s e : st * list out * reading := match t_list s with
  | Some d => if (fst (d_id d) =? e)%N then (s, [], d) else
      (with_reads s (t_reads s) (t_next s + 1), [NRInv (e, t_next s)], Reading (e, t_next s) 0 [])
  | None => (with_reads s (t_reads s) (t_next s + 1), [NRInv (e, t_next s)], Reading (e, t_next s) 0 []) end.
Definition op_unlisted fc s a d := let p := slot_of s a in
  St_ (t_slots s) (t_props s) (t_size s) (t_limit s) (t_last s) (t_proms s) (t_reads s) (t_next s) (t_K s)
    (t_told s) (t_joined s)
    (Some (Reading (d_id d) (d_tag d) ((a, (p_acc p, (p_cell p, answer fc p a))) :: d_reps d))).
Definition unlisted v s a f : res := let p := slot_of s a in
  need (whole_ p) RDamage
  (let e := nep (p_prom p) in
   match at_ v e with None => No RMembership | Some fc =>
     match answer fc p a with
     | None => No RMembership                     (* it holds a record, and did not list the key *)
     | Some fl => need (fl <=? f)%N R14
        (let '(s, o, d) := listing (raise s a f) e in Ok (op_unlisted fc s a d) o) end end).

Definition damaged s a r : res := let p := slot_of s a in
  need (nble (p_prom p) r) RDamage
  (Ok (put s a (Slot (p_prom p) (p_acc p) (p_cell p) (p_gone p) (p_fl p) (Some r))) []).

Definition check (v : env) (s : st) (e : event_) : res := match e with
  | EInstall a e => install v s a e
  | ETell a f => tell s a f
  | EJoin a l f => join v s a l f
  | EUnlisted a f => unlisted v s a f
  | EPromise a g m f => promise v s a g m f
  | EPrepare c => prepare s c
  | EPropose c p r qs cell => propose v s c p r qs cell
  | EVote a c next => andthen (vote v s a c) (fun s => Ok (promise_if v s a next) [])
  | EAck c told => ack v s c told
  | ERead n e tag => read s n e tag
  | EReply a n tag m f => reply v s a n tag m f
  | EReturned n tag b r w => returned v s n tag b r w
  | EErase a t => erase v s a t
  | EDamaged a r => damaged s a r end.
Fixpoint checks v s o l : res := match l with
  | [] => Ok s o
  | e :: l => match check v s e with Ok s o' => checks v s (o' ++ o) l | No r => No r end end.

(** ** The register of the configuration (Configured.v) *)
(** what the event, taken in from [s], shows to be chosen by rounds of which epoch *)
Definition decides (s : st) (e : event_) : option (N * N) := match e with
  | EAck c _ => match pfind c (t_props s) with
      | Some pr => match ncontent (b_cell pr) with Some w => Some (nep c, w) | None => None end | None => None end
  | EReturned n _ b _ (Some w) => match PM.find n (t_reads s) with
      | Some d => if negb (nbeq b nzero) && (fst (d_id d) =? nep b)%N then Some (nep b, w) else None | None => None end
  | _ => None end.
(** may these sets follow the configuration of epoch [e]? *)
Definition same_set (l l' : list node) := forallb (fun a => memp a l') l && forallb (fun a => memp a l) l'.
Definition follows (v : env) (e : N) (o n : list node) := match at_ v e with
  | Some fc => if N.even e then same_set o (fc_old fc) && nodupb n
               else same_set o n && (same_set n (fc_old fc) || same_set n (fc_new fc))
  | None => false end.
