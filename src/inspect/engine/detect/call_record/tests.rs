use super::{HALF, scan};
use crate::inspect::engine::context::TextKind;
use crate::inspect::engine::detect::probe::{all_block, hits, linear, none_hit, survives, with};
use crate::inspect::engine::finding::Kind;

const HITS: &[(&str, &str)] = &[
    ("", "\"cdrRecordType\",\"globalCallID_callManagerId\",\"globalCallID_callId\",\"origLegCallIdentifier\""),
    ("", "callingPartyNumber,originalCalledPartyNumber"),
    ("", "{\"callingPartyNumber\":\"4312\",\"finalCalledPartyNumber\":\"4313\"}"),
    ("", "ORIGDEVICENAME;DESTDEVICENAME"),
    ("", "orig_device_name|dest_device_name"),
    ("", "Start time,Answer time,Duration,Calling number,Called number,User"),
    ("", "\"Calling line ID\";\"Called line ID\""),
    ("", "accountcode,src,dst,dcontext,clid,channel,dstchannel,lastapp,lastdata,start,answer,end,duration,billsec"),
    ("", "clid,src,dst,dcontext,billsec"),
    ("", "callingNumber calledNumber\ncallingNumber,calledNumber"),
    ("", "+390341000001,4312,1548138160,32\n+390341000002,4313,1548138190,12\n+390341000003,4314,1548138290,62"),
    (
        "",
        "1,\"390341000001\",\"4312\",1548138160,32\n2,\"390341000002\",\"4313\",1548138190,0\n3,\"390341000003\",\"4314\",1548138290,62\n",
    ),
    (
        "",
        "4312;3331234567;2024-01-31 10:00:00;0:03:12\n4312;3331234568;2024-01-31 10:05:00;0:00:12\n4313;3331234567;2024-01-31 10:10:00;0:01:00",
    ),
    ("", "x\n0341000001\t4312\t1548138160\t3\n0341000002\t4312\t1548138160\t3\n0341000003\t4312\t1548138160\t3"),
];

const MISSES: &[(&str, &str)] = &[
    ("", "callingPartyNumber"),
    ("", "callingPartyNumber callingPartyNumber"),
    ("", "callingPartyNumber,callingPartyNumber"),
    ("", "src,dst,port,bytes"),
    ("", "Start time,Duration,User,Location,Model"),
    ("", "the answer time of the server"),
    ("", "name,version,vendor"),
    ("", "pid,name,memory,handles,threads,cpu"),
    ("", "1234,567,1548138160,20\n1235,568,1548138161,21\n1236,569,1548138162,22"),
    ("", "+390341000001,4312,1548138160,32\n+390341000002,4313,1548138190,12"),
    ("", "+390341000001,4312,1548138160,32\n\n+390341000002,4313,1548138190,12\n\n+390341000003,4314,1548138290,62"),
    ("", "+390341000001,4312,1548138160,32\n4313,x,1548138190,12\n+390341000003,4314,1548138290,62"),
    ("", "1548138160,1,2,3\n1548138161,1,2,3\n1548138162,1,2,3"),
    ("", "10.0.0.1,10.0.0.2,1548138160,5\n10.0.0.1,10.0.0.2,1548138161,5\n10.0.0.1,10.0.0.2,1548138162,5"),
    ("calls", "12"),
    ("record type", "1"),
    ("", ""),
];

#[test]
fn call_records_block() {
    all_block(scan, Kind::CallRecord, TextKind::Free, HITS);
}

#[test]
fn other_tables_pass() {
    none_hit(scan, TextKind::Free, MISSES);
}

#[test]
fn a_column_as_a_key_weighs_half() {
    for (key, value) in [
        ("calling party number", "4312"),
        ("global call id call id", "12"),
        ("date time origination", "1548138160"),
        ("orig ip addr", "-1139627840"),
    ] {
        let bits = with(key, TextKind::Number, |context| hits(scan, value.as_bytes(), context).first().map(|hit| hit.bits));
        assert_eq!(bits, Some(HALF), "{key}");
    }
    none_hit(scan, TextKind::Number, &[("calls", "12"), ("duration", "3"), ("number of devices", "12"), ("calling party number", "")]);
}

#[test]
fn work_is_linear() {
    linear(scan, &["a", "a ", "a,", "callingPartyNumber,", "1,", "1,2,1548138160,3\n", "\n", ",", "Calling number "]);
}

#[test]
fn cuts_are_harmless() {
    survives(scan, &["clid,src,dst,dcontext,billsec", "+390341000001,4312,1548138160,32\n+390341000002,4313,1548138190,12\n"]);
}
