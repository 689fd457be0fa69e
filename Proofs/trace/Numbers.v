(** Ballots, cells and folds over binary numbers, as the trace checker computes
    with them, and that they are those of Ballot.v and Cell.v.

    How to read it.  [B] and [cell_of] tell which ballot and which cell of the
    model is meant; the lemmas [..._ok] say that computing here is computing
    there.  A change carries what it made of the cell (or that it made nothing)
    instead of a function: the trace says so, and the model allows any function. *)
From Coq Require Import NArith PArith List Bool Lia Arith.
From Synod Require Import Ballot Cell.
Import ListNotations.

(** ** Ballots *)
Definition nballot := (N * (N * N))%type.
Definition B (b : nballot) : ballot := (N.to_nat (fst b), (N.to_nat (fst (snd b)), N.to_nat (snd (snd b)))).
Definition nzero : nballot := (0, (0, 0))%N.
Definition nfence (e : N) : nballot := (e, (0, 0))%N.
Definition nep (b : nballot) : N := fst b.
Definition ncmp (x y : nballot) : comparison :=
  match N.compare (fst x) (fst y) with
  | Eq => match N.compare (fst (snd x)) (fst (snd y)) with
          | Eq => N.compare (snd (snd x)) (snd (snd y))
          | c => c end
  | c => c end.
Definition nbeq x y := match ncmp x y with Eq => true | _ => false end.
Definition nblt x y := match ncmp x y with Lt => true | _ => false end.
Definition nble x y := match ncmp x y with Gt => false | _ => true end.

Lemma ncmp_ok x y : CompareSpec (x = y) (B x << B y) (B y << B x) (ncmp x y).
Proof.
  destruct x as [e [c p]], y as [e' [c' p']]. unfold ncmp, B; cbn.
  destruct (N.compare_spec e e'); [subst|constructor; apply Ballot.lt_less; left; cbn; lia..].
  destruct (N.compare_spec c c'); [subst|constructor; apply Ballot.lt_less; right; cbn; lia..].
  destruct (N.compare_spec p p'); [subst|constructor; apply Ballot.lt_less; right; cbn; lia..]. constructor; auto.
Qed.
Lemma B_inj x y : B x = B y -> x = y.
Proof. intros E. destruct (ncmp_ok x y) as [|L|L]; auto; rewrite E in L; order. Qed.
Lemma nbeq_ok x y : nbeq x y = true -> x = y.
Proof. unfold nbeq. destruct (ncmp_ok x y); auto; discriminate. Qed.
Lemma nbeq_not x y : nbeq x y = false -> B x <> B y.
Proof. unfold nbeq. destruct (ncmp_ok x y) as [|L|L]; try discriminate; intros _ E; rewrite E in L; order. Qed.
Lemma nbeq_refl x : nbeq x x = true.
Proof. unfold nbeq. destruct (ncmp_ok x x) as [|L|L]; auto; order. Qed.
Lemma nblt_ok x y : nblt x y = true -> B x << B y.
Proof. unfold nblt. destruct (ncmp_ok x y); auto; discriminate. Qed.
Lemma nblt_not x y : nblt x y = false -> B y <<= B x.
Proof. unfold nblt. destruct (ncmp_ok x y); subst; try discriminate; intros _; order. Qed.
Lemma nble_ok x y : nble x y = true -> B x <<= B y.
Proof. unfold nble. destruct (ncmp_ok x y); subst; try discriminate; intros _; order. Qed.
Lemma B_zero : B nzero = zero.
Proof. reflexivity. Qed.
Lemma B_fence e : B (nfence e) = fence (N.to_nat e).
Proof. reflexivity. Qed.
Lemma B_ep b : ep (B b) = N.to_nat (nep b).
Proof. reflexivity. Qed.
Lemma B_onto b : exists n, B n = b.
Proof.
  destruct b as [e [c p]]. exists (N.of_nat e, (N.of_nat c, N.of_nat p)). unfold B; cbn. rewrite !Nat2N.id. auto.
Qed.

(** ** Cells: ids, contents and effects are numbers; the window is at least 8 *)
#[global] Instance numbers : Values := {| Id := N; W := N; Eff := N; Id_dec := N.eq_dec; length_ := 8 |}.

Record ncell := NCell { nrev : N; ncontent : option N; nwindow : list (N * N); nmarks : list N }.
Definition cell_of (c : ncell) : cell := Cell (N.to_nat (nrev c)) (ncontent c) (nwindow c) (nmarks c).
Definition nabsent r := NCell r None [] [].

Inductive naction :=
| NRead
| NChange (made : option (option N * N))         (* the content and the effect; None: nothing was made *)
| NSettle (target known : N) (retired : list N) (full : bool).
Record nrequest := NRequest { nid : N; nact : naction; nlo : option N; nelsewhere : option N }.
Definition action_of (a : naction) : action := match a with
  | NRead => Read | NChange o => Change (fun _ _ => o)
  | NSettle t k r f => Settle (t : Id) (N.to_nat k) (r : list Id) f end.
Definition request_of q : request :=
  Request (nid q : Id) (action_of (nact q)) (option_map N.to_nat (nlo q)) (option_map N.to_nat (nelsewhere q)).

Inductive nverdict :=
| NApplied (r e : N) | NReplayed (r e : N) | NObserved | NRefusedDead | NUndecidable
| NSettledApplied (r : N) | NSettledDead (fresh : bool) | NForgotten.
Definition verdict_of (v : nverdict) : verdict := match v with
  | NApplied r e => Applied (N.to_nat r) (e : Eff) | NReplayed r e => Replayed (N.to_nat r) (e : Eff)
  | NObserved => Observed
  | NRefusedDead => RefusedDead | NUndecidable => Undecidable | NSettledApplied r => SettledApplied (N.to_nat r)
  | NSettledDead f => SettledDead f | NForgotten => Forgotten end.

Definition nremembered i c := match position (i : Id) (nwindow c) with
  | Some (n, e) => Some ((nrev c - N.of_nat n)%N, e) | None => None end.
Definition nshows c lo := (nrev c + 1 <=? lo + N.of_nat (length (nwindow c)))%N.
Definition nmarked i c := existsb (N.eqb i) (nmarks c).
Definition nevaluate' q c := match nact q with
  | NRead => (c, NObserved)
  | NSettle t known retired full =>
      match nremembered t c with
      | Some (r, _) => (c, NSettledApplied r)
      | None =>
        if nmarked t c then (c, NSettledDead false)
        else if negb (nshows c (known + 1)%N) then (c, NForgotten)
        else let kept := filter (fun i => negb (existsb (N.eqb i) retired)) (nmarks c) in
             if full then (NCell (nrev c) (ncontent c) (nwindow c) kept, NForgotten)
             else (NCell (nrev c) (ncontent c) (nwindow c) (t :: kept), NSettledDead true)
      end
  | NChange made =>
      match nremembered (nid q) c with
      | Some (r, e) => (c, NReplayed r e)
      | None =>
        if nmarked (nid q) c then (c, NRefusedDead)
        else if match nlo q with Some l => negb (nshows c l) | None => false end then (c, NUndecidable)
        else match made with
             | None => (c, NObserved)
             | Some (w, e) => (NCell (nrev c + 1)%N w ((nid q, e) :: nwindow c) (nmarks c), NApplied (nrev c + 1)%N e)
             end
      end
  end.
Definition nfinal v from := match v with
  | NApplied _ _ | NRefusedDead => true | NReplayed r _ => (from <=? r)%N | NSettledDead _ => true | _ => false end.
Definition nevaluate q c := let (d, v) := nevaluate' q c in
  (d, match nelsewhere q with Some l => if nfinal v l then v else NUndecidable | None => v end).
Fixpoint nrun qs c : ncell * list nverdict := match qs with
  | [] => (c, [])
  | q :: qs => let (c1, v) := nevaluate q c in let (c2, vs) := nrun qs c1 in (c2, v :: vs) end.
Definition napplied v := match v with NApplied _ _ => true | _ => false end.
Definition ncut n c := match n with 0 => c
  | _ => NCell (nrev c) (ncontent c) (firstn (max 8 n) (nwindow c)) (nmarks c) end.
Definition nchange qs c := let (d, vs) := nrun qs c in ncut (length (filter napplied vs)) d.

Lemma mem_in i (l : list N) : existsb (N.eqb i) l = if in_dec N.eq_dec i l then true else false.
Proof.
  destruct (in_dec N.eq_dec i l) as [J|J].
  - apply existsb_exists. exists i; split; auto. apply N.eqb_refl.
  - destruct (existsb (N.eqb i) l) eqn:E; auto. apply existsb_exists in E. destruct E as (j & K & ->%N.eqb_eq). tauto.
Qed.
Lemma nremembered_ok i c : remembered (i : Id) (cell_of c) =
  match nremembered i c with Some (r, e) => Some (N.to_nat r, e) | None => None end.
Proof.
  unfold remembered, nremembered; cbn. destruct (position _ _) as [[n e]|]; auto.
  rewrite N2Nat.inj_sub, Nat2N.id. auto.
Qed.
Lemma nshows_ok c l : showsEverything (cell_of c) (N.to_nat l) = nshows c l.
Proof.
  unfold showsEverything, nshows; cbn. generalize (length (nwindow c)) as n; intros n.
  destruct (N.leb_spec (nrev c + 1) (l + N.of_nat n)); [apply Nat.leb_le|apply Nat.leb_gt]; lia.
Qed.
Lemma nmarked_ok i c : marked (i : Id) (cell_of c) = nmarked i c.
Proof. unfold marked, nmarked. rewrite mem_in. reflexivity. Qed.
Lemma nevaluate'_ok q c : evaluate' (request_of q) (cell_of c) =
  (cell_of (fst (nevaluate' q c)), verdict_of (snd (nevaluate' q c))).
Proof.
  unfold evaluate', nevaluate'. destruct q as [i [|made|t k rt full] l el]; cbn -[Nat.add N.add].
  - reflexivity.
  - rewrite nremembered_ok. destruct (nremembered i c) as [[r e]|]; auto.
    rewrite nmarked_ok. destruct (nmarked i c); auto.
    assert (Sl : match option_map N.to_nat l with Some l => negb (showsEverything (cell_of c) l) | None => false end
                 = match l with Some l => negb (nshows c l) | None => false end)
      by (destruct l as [l|]; cbn [option_map]; rewrite ?nshows_ok; auto).
    rewrite Sl. destruct (match l with Some l => negb (nshows c l) | None => false end); auto.
    destruct made as [[w e]|]; auto. unfold cell_of; cbn -[Nat.add N.add]. rewrite N2Nat.inj_add. auto.
  - rewrite nremembered_ok. destruct (nremembered t c) as [[r e]|]; auto.
    rewrite nmarked_ok. destruct (nmarked t c); auto.
    replace (N.to_nat k + 1) with (N.to_nat (k + 1)) by lia. rewrite nshows_ok.
    destruct (nshows c (k + 1)%N); auto. cbn.
    assert (Fl : filter (fun i : Id => if in_dec Id_dec i rt then false else true) (nmarks c) =
                 filter (fun i => negb (existsb (N.eqb i) rt)) (nmarks c)).
    { apply filter_ext. intros j. rewrite mem_in. cbn. destruct (in_dec N.eq_dec j rt); auto. }
    destruct full; cbn; unfold cell_of; cbn; f_equal; f_equal; auto. f_equal; auto.
Qed.
Lemma nevaluate_ok q c : evaluate (request_of q) (cell_of c) =
  (cell_of (fst (nevaluate q c)), verdict_of (snd (nevaluate q c))).
Proof.
  unfold evaluate, nevaluate. rewrite nevaluate'_ok. destruct (nevaluate' q c) as [d v]; cbn.
  destruct (nelsewhere q) as [l|]; cbn; auto. f_equal.
  replace (final (verdict_of v) (N.to_nat l)) with (nfinal v l); [destruct (nfinal v l); auto|].
  destruct v; cbn; auto. destruct (N.leb_spec l r), (Nat.leb_spec (N.to_nat l) (N.to_nat r)); auto; lia.
Qed.
Lemma nrun_ok qs c : run (map request_of qs) (cell_of c) =
  (cell_of (fst (nrun qs c)), map verdict_of (snd (nrun qs c))).
Proof.
  revert c; induction qs as [|q qs IH]; intros c; cbn; auto. rewrite nevaluate_ok.
  destruct (nevaluate q c) as [c1 v]; cbn. rewrite IH. destruct (nrun qs c1); auto.
Qed.
Lemma nplaced_ok qs c : length (placed (map request_of qs) (cell_of c)) = length (filter napplied (snd (nrun qs c))).
Proof.
  revert c; induction qs as [|q qs IH]; intros c; cbn; auto. rewrite nevaluate_ok.
  destruct (nevaluate q c) as [c1 v]; cbn. rewrite app_length, IH. destruct (nrun qs c1) as [c2 vs]; cbn.
  destruct v; cbn; lia.
Qed.
Theorem nchange_ok qs c : change (map request_of qs) (cell_of c) = cell_of (nchange qs c).
Proof.
  unfold change, nchange. rewrite nplaced_ok, nrun_ok. destruct (nrun qs c) as [d vs]; cbn [fst snd].
  generalize (length (filter napplied vs)) as n. intros [|n]; reflexivity.
Qed.

(** is it the cell that the trace says? *)
Definition opt_eqb (x y : option N) := match x, y with
  | Some x, Some y => N.eqb x y | None, None => true | _, _ => false end.
Fixpoint list_eqb {X} (f : X -> X -> bool) (l l' : list X) := match l, l' with
  | [], [] => true | x :: l, y :: l' => f x y && list_eqb f l l' | _, _ => false end.
Fixpoint window_eqb (l l' : list (N * N)) := match l, l' with
  | [], [] => true | (i, e) :: l, (j, f) :: l' => N.eqb i j && N.eqb e f && window_eqb l l' | _, _ => false end.
Definition cell_eqb c d := N.eqb (nrev c) (nrev d) && opt_eqb (ncontent c) (ncontent d) &&
  window_eqb (nwindow c) (nwindow d) &&
  list_eqb N.eqb (nmarks c) (nmarks d).
