(* Reads a trace (trace-format.md) and says whether Check.v takes it in.

   synod-check FILE        exit code 0: accepted; 1: refused; 2: unreadable

   What is here, and not proved: reading lines, and telling registers apart.  A
   register's events are its own lines and those of whole nodes, in their order;
   so a register that comes up late starts as a copy of one that has seen the
   nodes' lines only.  The file is read twice: the configurations first. *)
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

(* -- the registers -- *)
type register = { mutable state : st }
let fresh = { state = st0 }
let registers : (string, register) Hashtbl.t = Hashtbl.create 4096
let register key = match Hashtbl.find_opt registers key with
  | Some r -> r
  | None -> let r = { state = fresh.state } in Hashtbl.add registers key r; r

let name = function
  | R1 -> "R1" | R2 -> "R2" | R3 -> "R3" | R4 -> "R4" | R5 -> "R5" | R6 -> "R6" | R7 -> "R7" | R8 -> "R8" | R9 -> "R9"
  | R11 -> "R11" | R13 -> "R13" | R14 -> "R14" | RMembership -> "membership" | RDamage -> "damage"
  | RNonsense -> "nonsense"
exception Refused of rule * string
let configurations : env ref = ref PM.empty
let events = ref 0
let take key r event = match check !configurations r.state event with
  | Ok (s, _) -> r.state <- s
  | No rule -> raise (Refused (rule, key))
let one key event = take key (register key) event
let all event =
  take "" fresh event;
  Hashtbl.iter (fun key r -> take key r event) registers

let word () = let w = key () in if !at < String.length !line then incr at; w
let read_line () =
  at := 0;
  if peek () = '@' then (incr at; ignore (decimal ()); space ());        (* a stamp, for merging *)
  let kind = word () in
  incr events;
  match kind with
  | "promise" ->
    let k = key () in space ();
    let a = node () in space (); let g = ballot () in space (); let m = ballot () in space ();
    let f = number () in finish (); one k (EPromise (a, g, m, f))
  | "prepare" -> let k = key () in space (); let c = ballot () in finish (); one k (EPrepare c)
  | "propose" ->
    let k = key () in space ();
    let c = ballot () in space (); let p = ballot () in space (); let r = number () in space ();
    let d = cell () in space (); let fold = list ';' request in finish (); one k (EPropose (c, p, r, fold, d))
  | "vote" ->
    let k = key () in space ();
    let a = node () in space (); let c = ballot () in space (); let next = ballot () in finish ();
    one k (EVote (a, c, next))
  | "ack" ->
    let k = key () in space ();
    let c = ballot () in space (); let told = list ';' verdict in finish (); one k (EAck (c, told))
  | "read" ->
    let k = key () in space ();
    let a = node () in space (); let e = number () in space (); let tag = number () in finish ();
    one k (ERead (a, e, tag))
  | "reply" ->
    let k = key () in space ();
    let a = node () in space (); let reader = node () in space (); let tag = number () in space ();
    let m = ballot () in space (); let f = number () in finish (); one k (EReply (a, reader, tag, m, f))
  | "returned" ->
    let k = key () in space ();
    let a = node () in space (); let tag = number () in space (); let b = ballot () in space ();
    let r = number () in space (); let w = content () in finish (); one k (EReturned (a, tag, b, r, w))
  | "erase" ->
    let k = key () in space (); let a = node () in space (); let t = ballot () in finish (); one k (EErase (a, t))
  | "damaged" ->
    let k = key () in space (); let a = node () in space (); let r = ballot () in finish (); one k (EDamaged (a, r))
  | "install" -> let a = node () in space (); let e = number () in finish (); all (EInstall (a, e))
  | "tell" -> let a = node () in space (); let f = number () in finish (); all (ETell (a, f))
  | "join" ->
    let a = node () in space (); let l = number () in space (); let f = number () in finish (); all (EJoin (a, l, f))
  | "listing" ->
    let a = node () in space (); let f = number () in space ();
    let listed = Hashtbl.create 64 in
    if peek () = '-' then incr at else begin
      let rest = String.sub !line !at (String.length !line - !at) in
      at := String.length !line;
      List.iter (fun k -> Hashtbl.replace listed k ()) (String.split_on_char ' ' rest)
    end;
    finish ();
    take "" fresh (EUnlisted (a, f));
    Hashtbl.iter (fun k r -> if not (Hashtbl.mem listed k) then take k r (EUnlisted (a, f))) registers
  | "members" | "config" -> decr events          (* read ahead *)
  | _ -> raise (Bad "an event of no known kind")

let changes channel =
  let members = ref None and chs = ref [] and number = ref 0 in
  (try while true do
    let text = input_line channel in
    incr number;
    if text <> "" && (text.[0] = 'm' || text.[0] = 'c') then begin
      line := text; at := 0;
      (try match word () with
        | "members" ->
          if !members <> None then raise (Bad "the first members are told twice");
          members := Some (list ',' node); finish ()
        | "config" ->
          (match word () with
           | "begin" -> chs := Begin (list ',' node) :: !chs
           | "complete" -> chs := Complete :: !chs
           | "abandon" -> chs := Abandon :: !chs
           | _ -> raise (Bad "begin, complete or abandon"));
          finish ()
        | _ -> raise (Bad "an event of no known kind")
      with Bad why -> Printf.printf "unreadable: line %d: %s: %s\n" !number why text; exit 2)
    end
  done with End_of_file -> ());
  match !members with
  | None -> print_endline "unreadable: no line tells the first members"; exit 2
  | Some m -> match env_of m (List.rev !chs) with
    | Some v -> configurations := v
    | None -> print_endline "unreadable: the configurations do not follow from one another"; exit 2

let () =
  Gc.set { (Gc.get ()) with Gc.minor_heap_size = 1 lsl 22; space_overhead = 400 };
  if Array.length Sys.argv <> 2 then (prerr_endline "usage: synod-check FILE"; exit 2);
  let channel = try open_in_bin Sys.argv.(1) with Sys_error why -> prerr_endline why; exit 2 in
  changes channel;
  seek_in channel 0;
  let number = ref 0 in
  (try while true do
    line := input_line channel;
    incr number;
    if !line <> "" && !line.[0] <> '#' then
      try read_line () with
      | Bad why -> Printf.printf "unreadable: line %d: %s: %s\n" !number why !line; exit 2
      | Refused (rule, key) ->
        Printf.printf "refused: line %d: %s%s: %s\n" !number (name rule)
          (if key = "" then "" else " (register " ^ key ^ ")") !line;
        exit 1
  done with End_of_file -> ());
  Printf.printf "accepted: %d events, %d registers\n" !events (Hashtbl.length registers)
