(* Reads a trace (trace-format.md) and says whether Check.v takes it in.

   synod-check FILE        exit code 0: accepted; 1: refused; 2: unreadable

   What is here, and not proved: reading lines, and telling registers apart.  The
   theorem is of each register's events: its own lines, and what the nodes say of
   all their registers.  Of these a register hears when they matter to it: with the
   same node's next line about it in the new epoch, or when it must be known whether
   nobody listed it; at the latest at the end.  For a line about one register may
   stand behind one of its node about all that is younger (trace-format.md).
   And it hears an accept or an erasure that a node died before telling where the node
   shows it: one more event, which the checker judges like any other.

   The file is read twice: the configurations first. *)
open Checker
let raise = Stdlib.raise

exception Bad of string

(* -- numbers: small ones are made once -- *)
let rec make_pos i = if i = 1 then XH else if i land 1 = 0 then XO (make_pos (i lsr 1)) else XI (make_pos (i lsr 1))
let small = Array.init 4096 (fun i -> if i = 0 then XH else make_pos i)
let pos i =
  if i <= 0 then raise (Bad "a node is numbered from 1") else if i < 4096 then small.(i) else make_pos i
let small_n = Array.init 4096 (fun i -> if i = 0 then N0 else Npos small.(i))
let n i = if i < 4096 then small_n.(i) else Npos (make_pos i)

(* -- a cursor over one line -- *)
let line = ref ""
let at = ref 0
let peek () = if !at < String.length !line then String.unsafe_get !line !at else ' '
let expect c what = if peek () = c then incr at else raise (Bad what)
let decimal () =
  let start = !at and x = ref 0 in
  let continue = ref true in
  while !continue do
    let d = Char.code (peek ()) - 48 in
    if d >= 0 && d <= 9 then begin
      if !x > 1 lsl 56 then raise (Bad "a number is too large");
      x := !x * 10 + d; incr at
    end else continue := false
  done;
  if !at = start then raise (Bad "a number is missing");
  !x
let hex () =
  let start = !at and x = ref 0 in
  let continue = ref true in
  while !continue do
    let c = peek () in
    let d = match c with
      | '0' .. '9' -> Char.code c - 48 | 'a' .. 'f' -> Char.code c - 87 | _ -> -1 in
    if d >= 0 then begin
      if !x lsr 56 <> 0 then raise (Bad "more than 60 bits");
      x := (!x lsl 4) lor d; incr at
    end else continue := false
  done;
  if !at = start then raise (Bad "a hexadecimal number is missing");
  n !x
let number () = n (decimal ())
let node () = pos (decimal ())
let space () = expect ' ' "too few fields"
let finish () = if !at <> String.length !line then raise (Bad "something follows the last field")
(* epoch.counter@node/boot; a proposer is node * 2^16 + boot, so they compare as ballots do *)
let zero = (N0, (N0, N0))
let ballot () =
  let e = decimal () in
  if e = 0 && (peek () = ' ') then zero
  else begin
    expect '.' "a ballot is written epoch.counter@node/boot";
    let c = decimal () in
    expect '@' "a ballot is written epoch.counter@node/boot";
    let a = decimal () in
    expect '/' "a ballot is written epoch.counter@node/boot";
    let b = decimal () in
    if b >= 1 lsl 16 || a >= 1 lsl 16 then raise (Bad "node or boot is too large");
    (n e, (n c, n ((a lsl 16) lor b)))
  end
let list separator item =
  if peek () = '-' then (incr at; []) else begin
    let rec go acc = let x = item () in
      if peek () = separator then (incr at; go (x :: acc)) else List.rev (x :: acc) in
    go []
  end
let content () = if peek () = '-' then (incr at; None) else Some (hex ())
let key () =
  let start = !at in
  (match String.index_from_opt !line start ' ' with Some i -> at := i | None -> at := String.length !line);
  if !at = start then raise (Bad "the key is missing");
  String.sub !line start (!at - start)

(* revision:content:id=effect,...:mark,... *)
let cell () =
  let r = number () in
  expect ':' "a cell has four parts";
  let w = content () in
  expect ':' "a cell has four parts";
  let window = list ',' (fun () -> let i = hex () in expect '=' "a window entry is id=effect"; let e = hex () in (i, e)) in
  expect ':' "a cell has four parts";
  let marks = list ',' hex in
  { nrev = r; ncontent = w; nwindow = window; nmarks = marks }
let optional () = if peek () = ':' then (incr at; if peek () = '-' then (incr at; None) else Some (number ())) else None
let request () =
  let c = peek () in
  incr at;
  match c with
  | 'r' -> { nid = N0; nact = NRead; nlo = None; nelsewhere = None }
  | 'w' | 'o' ->
    expect ':' "w:id:effect:content or o:id";
    let id = hex () in
    let made = if c = 'o' then None else begin
      expect ':' "w:id:effect:content"; let e = hex () in
      expect ':' "w:id:effect:content"; let w = content () in Some (w, e) end in
    let lo = optional () in
    let elsewhere = optional () in
    { nid = id; nact = NChange made; nlo = lo; nelsewhere = elsewhere }
  | 's' ->
    expect ':' "s:target:known:full:retired"; let target = hex () in
    expect ':' "s:target:known:full:retired"; let known = number () in
    expect ':' "s:target:known:full:retired"; let full = decimal () = 1 in
    expect ':' "s:target:known:full:retired"; let retired = list ',' hex in
    let elsewhere = optional () in
    { nid = N0; nact = NSettle (target, known, retired, full); nlo = None; nelsewhere = elsewhere }
  | _ -> raise (Bad "a request is w, o, r or s")
let verdict () =
  let c = peek () in
  incr at;
  let made () = let r = number () in expect '=' "revision=effect"; let e = hex () in (r, e) in
  match c with
  | 'a' -> let r, e = made () in NApplied (r, e)
  | 'p' -> let r, e = made () in NReplayed (r, e)
  | 'o' -> NObserved | 'd' -> NRefusedDead | 'u' -> NUndecidable | 'f' -> NForgotten
  | 's' -> NSettledApplied (number ())
  | 'm' -> NSettledDead (decimal () = 1)
  | _ -> raise (Bad "a verdict is a, p, o, d, u, s, m or f")

(* -- what nodes say of all their registers at once -- *)
let rec int_of_pos = function XH -> 1 | XO p -> 2 * int_of_pos p | XI p -> 2 * int_of_pos p + 1
let int_of_n = function N0 -> 0 | Npos p -> int_of_pos p
let epoch_of ((e, _) : n * (n * n)) = int_of_n e

type listing = { floor : int; after : string; upto : string option; keys : (string, unit) Hashtbl.t }
type what = Start | Installed of int | Told of int | Listed of listing
(* of the registers of one partition; "": of all *)
type said = { part : string; what : what; mutable next : said option }
type speaker = { node : int; first : said; mutable last : said }
let speakers : (int, speaker) Hashtbl.t = Hashtbl.create 16
let speaker a = match Hashtbl.find_opt speakers a with
  | Some s -> s
  | None ->
    let first = { part = ""; what = Start; next = None } in
    let s = { node = a; first; last = first } in
    Hashtbl.add speakers a s; s
let say a part what =
  let s = speaker a and said = { part; what; next = None } in
  s.last.next <- Some said; s.last <- said
(* part, node, joint epoch, floor; newest first *)
let joined : (string * int * int * int) list ref = ref []

(* -- the registers -- *)
(* how far a register has heard one node; the epoch and the floor of a `join` that it has heard ahead of that *)
type place = { of_ : int; mutable at : said; mutable epoch : int; mutable ahead : int * int }
type register = {
  name : string; of_part : string; bytes : string; mutable state : st; mutable places : place list;
  mutable reads : (int * (int * int)) list }                             (* reader: epoch, tag *)
let hexdigit c = match c with
  | '0' .. '9' -> Char.code c - 48 | 'A' .. 'F' -> Char.code c - 55 | 'a' .. 'f' -> Char.code c - 87
  | _ -> raise (Bad "a key is percent-encoded")
let decoded text =
  let out = Buffer.create (String.length text) and i = ref 0 in
  while !i < String.length text do
    if text.[!i] = '%' && !i + 2 < String.length text then begin
      Buffer.add_char out (Char.chr ((hexdigit text.[!i + 1] lsl 4) lor hexdigit text.[!i + 2])); i := !i + 3
    end else (Buffer.add_char out text.[!i]; incr i)
  done;
  Buffer.contents out
let registers : (string, register) Hashtbl.t = Hashtbl.create 4096
(* the register of the configuration; its key is empty *)
let is_configuration r = r.name = "%"
let register key = match Hashtbl.find_opt registers key with
  | Some r -> r
  | None ->
    let of_part, name = match String.index_opt key '/' with
      | Some i -> String.sub key 0 i, String.sub key (i + 1) (String.length key - i - 1)
      | None -> "", key in
    let bytes = if name = "%" then "" else decoded name in
    let r = { name; of_part; bytes; state = st0; places = []; reads = [] } in
    Hashtbl.add registers key r; r
let place r a =
  let rec go = function
    | p :: l -> if p.of_ = a then p else go l
    | [] -> let p = { of_ = a; at = (speaker a).first; epoch = 0; ahead = (0, 0) } in r.places <- p :: r.places; p in
  go r.places

let name = function
  | R1 -> "R1" | R2 -> "R2" | R3 -> "R3" | R4 -> "R4" | R5 -> "R5" | R6 -> "R6" | R7 -> "R7" | R8 -> "R8" | R9 -> "R9"
  | R11 -> "R11" | R13 -> "R13" | R14 -> "R14" | RMembership -> "membership" | RDamage -> "damage"
  | RNonsense -> "nonsense"
exception Refused of rule * string
let configurations : env ref = ref PM.empty
let events = ref 0

(* -- the register of the configuration -- *)
(* what a content says: epoch, sets *)
let contents : (n, int * positive list * positive list) Hashtbl.t = Hashtbl.create 16
(* epoch of the rounds and content: chosen in them *)
let decided : (int * n, unit) Hashtbl.t = Hashtbl.create 16
let are_told = ref false                                    (* by `config` lines: then they are taken as told *)
let refuse r = raise (Refused (RMembership, r.name))
let noted r before event = match decides before event with
  | Some (e, w) -> Hashtbl.replace decided (int_of_n e, w) ()
  | None -> ()
(* only the successor of its own epoch's configuration may be put in its place *)
let compared r = match r.state.t_props with
  | (c, p) :: _ when p.b_cell.ncontent <> p.b_base.ncontent ->
    let known = function
      | None -> 0, [], []
      | Some w -> match Hashtbl.find_opt contents w with Some k -> k | None -> refuse r in
    let e, _, _ = known p.b_base.ncontent and e', m, m' = known p.b_cell.ncontent in
    if e <> epoch_of c || e' <> e + 1 || not (follows !configurations (n e) m m') then refuse r
  | _ -> ()

let take r event = match check !configurations r.state event with
  | Ok (s, _) ->
    let before = r.state in
    r.state <- s;
    if is_configuration r && not !are_told then begin
      noted r before event;
      match event with EPropose _ -> compared r | _ -> ()
    end
  | No rule -> raise (Refused (rule, r.name))
let tried r event = match check !configurations r.state event with
  | Ok (s, _) -> r.state <- s
  | No _ -> ()

(* -- a register hears what a node said of all -- *)
let is_for r part = part = "" || part = r.of_part
let is_missing r l =
  Stdlib.compare r.bytes l.after > 0 && (match l.upto with Some k -> Stdlib.compare r.bytes k <= 0 | None -> true)
  && not (Hashtbl.mem l.keys r.bytes)
(* the epoch whose listings it collects: those of earlier ones have had their use, or came to nothing *)
let listed_in r = match r.state.t_list with Some d -> int_of_n (fst d.d_id) | None -> 0
(* whether the node's listings, from there to its next installation, miss the register *)
let rec misses_until_next r = function
  | None -> false
  | Some said when not (is_for r said.part) -> misses_until_next r said.next
  | Some { what = Installed _; _ } -> false
  | Some { what = Listed l; _ } when is_missing r l -> true
  | Some said -> misses_until_next r said.next
(* The node shows in epoch e that it holds nothing. If it has accepted something, as the member that it still is then,
   it has erased that: it died when this was on its disk, and was not told yet. *)
let erased_untold r p e =
  let held = (slot_of r.state (pos p.of_)).p_acc in
  let is_dropped = match at_ !configurations (n e) with
    | Some fc -> epoch_of held < int_of_n (fsince fc (pos p.of_))
    | None -> true in
  if held <> zero && not is_dropped then tried r (EErase (pos p.of_, held))
(* up to the node's next installation after epoch e; of that epoch what it said while its floor was at most this *)
let rec hear ?(floor = max_int) r p e = match p.at.next with
  | None -> ()
  | Some said when not (is_for r said.part) -> p.at <- said; hear ~floor r p e
  | Some { what = Installed e'; _ } when e' > e -> ()
  | Some { what = Told f | Listed { floor = f; _ }; _ } when p.epoch = e && f > floor -> ()
  | Some said ->
    p.at <- said;
    (match said.what with
     | Start -> ()
     | Installed e' when e' <> p.epoch ->
       if misses_until_next r said.next then erased_untold r p e';
       install r p e';
       p.epoch <- e'
     | Installed _ -> ()
     | Told f ->
       (* Said before a join that this register knows already: a lower floor is then none that went back. *)
       let e', f' = p.ahead in
       if e' < p.epoch || f' <= f then take r (ETell (pos p.of_, n f))
     | Listed l -> if is_missing r l && listed_in r <= p.epoch then take r (EUnlisted (pos p.of_, n l.floor)));
    hear ~floor r p e
and install r p e =
  let event = EInstall (pos p.of_, n e) in
  match check !configurations r.state event with
  | Ok (s, _) -> r.state <- s
  | No RMembership ->
    (* Is it settled because nobody listed it?  First with those alone who did not: others may yet tell of accepts
       from before they installed the joint epoch. *)
    let l = match at_ !configurations (n e) with Some fc -> int_of_n fc.fc_lo | None -> 0 in
    settle r p l false;
    (match check !configurations r.state event with
     | Ok (s, _) -> r.state <- s
     | No _ -> settle r p l true; take r event)
  | No rule -> raise (Refused (rule, r.name))
and settle r p l everyone =
  let misses s =
    let rec go at e = match at with
      | None -> false
      | Some said when not (is_for r said.part) -> go said.next e
      | Some said -> (match said.what with
        | Installed e' -> go said.next e'
        | Listed x -> (e = l && is_missing r x) || go said.next e
        | _ -> go said.next e) in
    go s.first.next 0 in
  Hashtbl.iter (fun a s -> if a <> p.of_ && (everyone || misses s) then hear r (place r a) l) speakers;
  List.iter (fun (part, a, l', f) -> if l' = l && is_for r part then join r (place r a) l f) (List.rev !joined)
and join r p l f = match check !configurations r.state (EJoin (pos p.of_, n l, n f)) with
  | Ok (s, _) ->
    r.state <- s;
    if p.epoch <= l then p.ahead <- (l, f)
  | No _ -> ()
(* a line of node a about the register, in epoch e, that shows m as accepted, and this floor where it shows one *)
let hears ?(floor = max_int) r a e m =
  let p = place r a in
  if e > p.epoch || p.at.next <> None then begin
    let e' = epoch_of m in
    if m <> zero && e' < e then begin
      hear r p e';
      if p.epoch = e' then tried r (EVote (pos a, m, zero))     (* its answer never left *)
    end;
    hear ~floor r p e
  end
(* The same, of one that shows what it holds: m, or with zero nothing and its floor. That floor never falls, so what the
   node told of a higher one came after: this answer has waited for its write, and the floor was another write. *)
let shows r a e m f =
  if m = zero then begin
    erased_untold r (place r a) e;
    hears ~floor:f r a e m
  end else hears r a e m
let finish_all () =
  Hashtbl.iter (fun _ r -> Hashtbl.iter (fun a _ -> hear r (place r a) max_int) speakers) registers

let word () = let w = key () in if !at < String.length !line then incr at; w
(* NODE or NODE/PARTITION *)
let node_of_all () =
  let a = decimal () in
  if a = 0 then raise (Bad "a node is numbered from 1");
  if peek () = '/' then (incr at; let p = decimal () in a, string_of_int p) else a, ""
let is_last () = !at >= String.length !line
let range () = let w = word () in if w = "*" then None else Some (decoded w)
let read_line () =
  at := 0;
  if peek () = '@' then (incr at; ignore (decimal ()); space ());        (* a stamp, for merging *)
  let kind = word () in
  incr events;
  match kind with
  | "promise" ->
    let k = key () in space ();
    let a = decimal () in space (); let g = ballot () in space (); let m = ballot () in space ();
    let f = decimal () in finish ();
    let r = register k in shows r a (epoch_of g) m f; take r (EPromise (pos a, g, m, n f))
  | "prepare" -> let k = key () in space (); let c = ballot () in finish (); take (register k) (EPrepare c)
  | "propose" ->
    let k = key () in space ();
    let c = ballot () in space (); let p = ballot () in space (); let r = number () in space ();
    let d = cell () in space (); let fold = list ';' request in finish ();
    take (register k) (EPropose (c, p, r, fold, d))
  | "vote" ->
    let k = key () in space ();
    let a = decimal () in space (); let c = ballot () in space (); let next = ballot () in finish ();
    let r = register k in hears r a (epoch_of c) zero; take r (EVote (pos a, c, next))
  | "ack" ->
    let k = key () in space ();
    let c = ballot () in space (); let told = list ';' verdict in finish (); take (register k) (EAck (c, told))
  | "read" ->
    let k = key () in space ();
    let a = decimal () in space (); let e = decimal () in space (); let tag = decimal () in finish ();
    let r = register k in
    r.reads <- (a, (e, tag)) :: List.remove_assoc a r.reads;
    take r (ERead (pos a, n e, n tag))
  | "reply" ->
    let k = key () in space ();
    let a = decimal () in space (); let reader = decimal () in space (); let tag = decimal () in space ();
    let m = ballot () in space (); let f = decimal () in finish ();
    let r = register k in
    (match List.assoc_opt reader r.reads with
     | Some (e, tag') when tag' = tag -> shows r a e m f
     | _ -> ());
    take r (EReply (pos a, pos reader, n tag, m, n f))
  | "returned" ->
    let k = key () in space ();
    let a = node () in space (); let tag = number () in space (); let b = ballot () in space ();
    let r = number () in space (); let w = content () in finish (); take (register k) (EReturned (a, tag, b, r, w))
  | "erase" ->
    let k = key () in space (); let a = decimal () in space (); let t = ballot () in
    (* The epoch in which it is done may be later than the ballot's; without one it is that. *)
    let e = if is_last () then epoch_of t else (space (); decimal ()) in finish ();
    let r = register k in hears r a e zero; take r (EErase (pos a, t))
  | "damaged" ->
    let k = key () in space (); let a = decimal () in space (); let reserve = ballot () in finish ();
    let r = register k in hears r a (epoch_of reserve) zero; take r (EDamaged (pos a, reserve))
  | "install" ->
    let a, part = node_of_all () in space (); let e = decimal () in
    if not (is_last ()) then begin
      space (); let w = hex () in finish ();
      if e > 0 && not !are_told && not (Hashtbl.mem decided (e - 1, w)) then
        raise (Refused (RMembership, "%"))
    end;
    say a part (Installed e)
  | "tell" -> let a, part = node_of_all () in space (); let f = decimal () in finish (); say a part (Told f)
  | "join" ->
    let a, part = node_of_all () in space (); let l = decimal () in space (); let f = decimal () in finish ();
    joined := (part, a, l, f) :: !joined
  | "listing" ->
    let a, part = node_of_all () in space (); let floor = decimal () in space ();
    let after = match range () with Some k -> k | None -> "" in
    let upto = range () in
    let keys = Hashtbl.create 64 in
    while not (is_last ()) do Hashtbl.replace keys (decoded (word ())) () done;
    say a part (Listed { floor; after; upto; keys })
  | "members" | "config" | "configuration" -> decr events          (* read ahead *)
  | _ -> raise (Bad "an event of no known kind")

(* -- the configurations, read ahead -- *)
let sorted = List.sort Stdlib.compare
(* what became of one that [fc] describes, where stable(M) is both sets *)
let change_to fc (m, m') =
  let set l = sorted (List.map int_of_pos l) in
  if int_of_n fc.fc_epoch land 1 = 0 then if set m = set fc.fc_old then Some (Begin m') else None
  else if set m <> set m' then None
  else if set m = set fc.fc_old then Some Abandon
  else if set m = set fc.fc_new then Some Complete else None
let changes channel =
  let members = ref None and chs = ref [] and at_line = ref 0 in
  (* by epoch: the content that was installed *)
  let installed : (int, n) Hashtbl.t = Hashtbl.create 16 and highest = ref 0 in
  let sinces = Hashtbl.create 16 in
  let refused why = Printf.printf "refused: line %d: membership: %s: %s\n" !at_line why !line; exit 1 in
  let start text = match text.[0] with
    | '@' -> (match String.index_opt text ' ' with Some i -> i + 1 | None -> 0)
    | _ -> 0 in
  (try while true do
    let text = input_line channel in
    incr at_line;
    if text <> "" then begin
      line := text; at := start text;
      match peek () with
      | 'm' | 'c' | 'i' ->
        (try match word () with
          | "members" ->
            if !members <> None then raise (Bad "the first members are told twice");
            members := Some (list ',' node); finish ()
          | "config" ->
            are_told := true;
            (match word () with
             | "begin" -> chs := Begin (list ',' node) :: !chs
             | "complete" -> chs := Complete :: !chs
             | "abandon" -> chs := Abandon :: !chs
             | _ -> raise (Bad "begin, complete or abandon"));
            finish ()
          | "configuration" ->
            let e = decimal () in space ();
            let w = hex () in space ();
            let m = list ',' node in space ();
            let m' = if peek () = '-' then (incr at; m) else list ',' node in space ();
            let since = list ',' (fun () ->
              let a = node () in expect '=' "since is written NODE=EPOCH"; let e = number () in (a, e)) in
            finish ();
            if Hashtbl.mem contents w && Hashtbl.find contents w <> (e, m, m') then refused "a content of two meanings";
            Hashtbl.replace contents w (e, m, m');
            Hashtbl.replace sinces w since
          | "install" ->
            ignore (node_of_all ()); space ();
            let e = decimal () in
            if not (is_last ()) then begin
              space (); let w = hex () in finish ();
              (match Hashtbl.find_opt installed e with
               | Some w' when w' <> w -> refused "two configurations of one epoch"
               | _ -> ());
              Hashtbl.replace installed e w;
              highest := Stdlib.max e !highest
            end
          | _ -> raise (Bad "an event of no known kind")
        with Bad why -> Printf.printf "unreadable: line %d: %s: %s\n" !at_line why text; exit 2)
      | _ -> ()
    end
  done with End_of_file -> ());
  match !members with
  | None -> print_endline "unreadable: no line tells the first members"; exit 2
  | Some m ->
    let build chs = match env_of m (List.rev chs) with
      | Some v -> v
      | None -> print_endline "unreadable: the configurations do not follow from one another"; exit 2 in
    if !are_told then configurations := build !chs
    else begin
      line := "";
      let v = ref (build []) and made = ref [] in
      for e = 1 to !highest do
        match Hashtbl.find_opt installed e, at_ !v (n (e - 1)) with
        | Some w, Some fc ->
          (match Hashtbl.find_opt contents w with
           | Some (e', m, m') when e' = e ->
             (match change_to fc (m, m') with
              | Some ch -> made := ch :: !made; v := build !made
              | None -> refused (Printf.sprintf "epoch %d does not follow from the one before" e));
             (match at_ !v (n e) with
              | Some fc when List.for_all (fun (a, s) -> fsince fc a = s) (Hashtbl.find sinces w) -> ()
              | _ -> refused (Printf.sprintf "since when its members are in, in epoch %d" e))
           | _ -> refused (Printf.sprintf "no line tells what epoch %d is" e))
        | _ -> refused (Printf.sprintf "nobody installs epoch %d, and a later one is" e)
      done;
      configurations := !v
    end

let () =
  Gc.set { (Gc.get ()) with Gc.minor_heap_size = 1 lsl 22; space_overhead = 400 };
  if Array.length Sys.argv <> 2 then (prerr_endline "usage: synod-check FILE"; exit 2);
  let channel = try open_in_bin Sys.argv.(1) with Sys_error why -> prerr_endline why; exit 2 in
  changes channel;
  seek_in channel 0;
  let number = ref 0 in
  let refused rule key =
    Printf.printf "refused: line %d: %s%s: %s\n" !number (name rule)
      (if key = "" then "" else " (register " ^ key ^ ")") !line;
    exit 1 in
  (try while true do
    line := input_line channel;
    incr number;
    if !line <> "" && !line.[0] <> '#' then
      try read_line () with
      | Bad why -> Printf.printf "unreadable: line %d: %s: %s\n" !number why !line; exit 2
      | Refused (rule, key) -> refused rule key
  done with End_of_file -> ());
  line := "the end";
  (try finish_all () with Refused (rule, key) -> refused rule key);
  Printf.printf "accepted: %d events, %d registers\n" !events (Hashtbl.length registers)
