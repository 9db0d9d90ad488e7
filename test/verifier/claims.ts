/**
 * Every claim of the verifier, with a patch that deletes it and a case of tampering that is then no longer found. A claim is each
 * place that reports a finding, and each part of a condition without which a tampered archive would be good. They are listed in
 * the order of the code.
 */
import { readMutations } from '../support/patched-program';

export const claims = readMutations(`
verifier/verify.ts
  an archive holds a manifest | remove-team other, remove-team main
    - addFinding('archive-empty', 'manifests/', 'check that the path or the bucket is that of the archive');
    + {}
  a team whose head was saved is still there | remove-team other, which a saved head shows
    - [...vanished].map(emptyFolder)
    + []
  an anchor is as good as a saved head | cut-after 4, which an anchor shows
    - ...(await anchoredHeads({ ...team, folder }))
    +
  a team with data has manifests | a batch object of a team without manifests is planted
    - addFinding('team-without-manifests', manifestPrefix(folder.team));
    + {}
  no number is left out before a manifest | remove M3
    - const isNext = noneIsMissing(before, seq, context);
    + const isNext = true;
  no number is left out at the end of a range | remove M3, in the part 2-3
    - noneIsMissing(before, lastOf(scope, headSeq) + 1, context);
    +
  every object is listed by a manifest | copy E2b E5b
    - for (const key of folder.unlisted) addFinding('object-unlisted', key);
    +
  every manifest is under lock | no lock of M1
    - isUnderLock(link.key, link.manifest, context);
    +
  a range follows the manifest that the caller trusts | a range after another manifest than the one that the caller trusts
    - addFinding('head-differs', link.key); return link;
    + {} return link;
  a missing manifest is reported | remove M3
    - addFinding( 'manifest-missing', manifestKey(folder.team, before + 1), missing > 1 ? \`and \${missing - 1} after it\` : '', );
    +
verifier/heads.ts
  an anchor is what its key names | an anchor with a changed byte
    - addFinding('anchor-unreadable', key);
    + {}
  an anchor pins the key | an anchor of another key
    - addFinding('signature-other-key', key);
    + {}
  the manifest of a saved head is still the same | another manifest than that of a saved head
    - if (isOther) addFinding('head-differs', link.key);
    +
  no batch is staged far beyond the head | remove M2 M3 M4 E2b Q2a Q2b E4b B2
    - addFinding('chain-truncated', newest, \`the chain ends at \${headSeq}\`);
    + {}
  the chain reaches each saved head | cut-after 4, which a saved head shows
    - addFinding('chain-truncated', manifestKey(folder.team, seq), \`the chain ends at \${headSeq}\`);
    + {}
verifier/tally.ts
  expired objects are mentioned | objects are gone exactly at their expiry
    - if (firstExpired !== undefined) addFinding('expired', firstExpired, others > 0 ? \`and \${others} more\` : '');
    +
verifier/inventory.ts
  files of desktop systems are mentioned | copy E2b events/.DS_Store
    - addFinding('object-unknown', key); continue; } const
    + continue; } const
  every object lies in the folder of a team | copy E2b events/0000000001.ndjson.gz
    - addFinding(/^(events|manifests|quarantine)\\//.test(key) ? 'object-unlisted' : 'object-unknown', key);
    +
  other objects among the anchors are mentioned | copy E2b anchors/team=main/notes.txt
    - addFinding('object-unknown', key); else if (area !== 'batches')
    + {} else if (area !== 'batches')
  other objects among the batches are mentioned | copy E2b batches/team=main/notes.txt
    - else addFinding('object-unknown', key);
    +
verifier/chain.ts
  a manifest that is too large is reported | M3 is replaced by 16 MB
    - addFinding(bytes === 'missing' ? 'manifest-missing' : bytes, key);
    +
  a manifest that is not good is reported | M3 is emptied
    - if (problem !== undefined) addFinding(PROBLEMS[problem], key, detail);
    +
  a signature of another key is not good | another key signs one manifest
    - if (problem !== undefined)
    + if (problem !== undefined && problem !== 'other-key')
  a signature that does not match is not good | a manifest gets the signature of its neighbour
    - if (problem !== undefined)
    + if (problem !== undefined && problem !== 'bad-signature')
  a payload of another form is not good | a second manifest with a missing field
    - if (problem !== undefined)
    + if (problem !== undefined && problem !== 'no-manifest')
  a payload of a newer format is not good | a second manifest with a newer format
    - if (problem !== undefined)
    + if (problem !== undefined && problem !== 'newer-format')
  the payload names the team of the folder | a second manifest with another team
    - manifest.team === folder.team &&
    +
  the payload names the number of the key | a second manifest with another seq
    - && manifest.seq === seq
    +
  a misplaced manifest is reported | a second manifest with another seq
    - addFinding('manifest-misplaced', key, \`the payload names team \${manifest.team}, seq \${manifest.seq}\`);
    +
  the chain is linked | a second manifest with another predecessor
    - if (manifest.previous !== (previous?.sha256 ?? null)) addFinding('chain-broken', key);
    +
  a wrong position is reported | a second manifest with a position that goes back
    - if (isBack || position > Math.max(least, Date.parse(manifest.run.walkStart))) addFinding('position-wrong', key);
    +
  the position does not go back | a second manifest with a position that goes back
    - isBack ||
    +
  the position does not lie after the walk start | a signed manifest with a position after its walk start
    - || position > Math.max(least, Date.parse(manifest.run.walkStart))
    +
  a run finishes after it began | objects are gone under the retention of a run that finished in 1970, of which all is there
    - addFinding('times-wrong', key, \`finished \${run.finished}, began \${new Date(eventsBegan).toISOString()} or later\`);
    +
  the latest instant is carried on | a signed manifest with no latest instant
    - addFinding('latest-wrong', key);
    + {}
  a reversed range is reported | a signed manifest with a window that ends before it begins
    - if (isReversed) addFinding('range-reversed', key);
    +
  a window does not end before it begins | a signed manifest with a window that ends before it begins
    - Date.parse(window.from) > latest ||
    +
  a gap does not end before it begins | a signed manifest with a gap that ends before it begins
    - || gaps.some(({ from, to }) => from >= to)
    +
  the start of the chain stays | a second manifest with another start of the chain
    - addFinding('start-moved', key, manifest.start);
    + {}
  the windows leave no time out | a second manifest with a window that leaves time out
    - addFinding('window-hole', key);
    + {}
verifier/content.ts
  the segments fill the batch object | a signed manifest with no batch
    - if (!fillsTheBatch(manifest)) addFinding('batch-untiled', manifestKey);
    +
  what the lines show is reported | a segment of events with an event of the day before
    - for (const [code, detail] of facts.findings) addFinding(code, entry.key, detail);
    +
  the manifest describes each segment | a signed manifest with another first instant
    - if (!describes(entry, facts)) addFinding('segment-misdescribed', entry.key, \`found \${facts.lines} lines\`);
    +
  the counts are those of the lines | a signed manifest with more events than lines
    - addFinding('counts-wrong', manifestKey, detail);
    + {}
  a batch object is stored, by the keys alone | remove B2, in the part keys 1-3
    - addFinding('batch-missing', batch.key); for
    + {} for
  a segment is stored, by the keys alone | remove E1a, in the part keys 1-3
    - addFinding(isHead ? 'segment-unpublished' : 'segment-missing', entry.key);
    +
  the key of the batch object is of this manifest | a signed manifest with a batch of another seq
    - addFinding('batch-misnamed', manifestKey, batch.key);
    +
  the batch object can be read | remove B2
    - if (!isOver) addFinding(bytes === 'missing' ? 'batch-missing' : bytes, batch.key);
    +
  every batch object is under lock | no lock of B1
    - isUnderLock(batch.key, manifest, context);
    +
  the batch object has its size | B2 gets another byte
    - addFinding('batch-differs', batch.key, \`\${bytes.length} bytes instead of \${batch.bytes}\`);
    + {}
  the key of a segment is of this manifest | an archive with a segment outside the archive
    - addFinding('segment-misnamed', manifestKey, entry.key);
    + {}
  the batch object holds each segment | B2 gets a changed byte in its first gzip header
    - if (staged?.code) addFinding('batch-differs', batchKey, \`its member for \${entry.key}: \${staged.detail}\`);
    +
  an unpublished segment is mentioned | objects are gone before they expire, unpublished
    - addFinding('segment-unpublished', entry.key, \`committed \${manifest.run.finished}\`);
    + {}
  a segment can be read | remove E1b
    - addFinding(stored === 'missing' ? 'segment-missing' : stored, entry.key, listedLines(entry));
    + {}
  every segment is under lock | no lock of E1a
    - isUnderLock(entry.key, manifest, context);
    +
  a segment that differs is reported | E2b has another compression level
    - if (published.code) addFinding(published.code, entry.key, \`\${published.detail}; \${listedLines(entry)}\`);
    +
verifier/member.ts
  a segment is not larger than the format allows | a signed manifest with more bytes than the format allows
    - return { code: 'object-too-large', detail: \`\${entry.bytes} bytes of lines\` };
    + return {};
  the lines have the committed size | a signed manifest with more uncompressed bytes
    - content.length === entry.bytes &&
    +
  the lines have the committed hash | a signed manifest with another hash
    - && sha256(content) === entry.sha256
    +
  other lines are reported | a signed manifest with another hash
    - return { code: 'segment-differs', detail: 'the SHA-256 of the lines is not the committed one' };
    + return {};
  the compressed bytes have the committed hash | E2b has another compression level
    - return { content, code: 'segment-recompressed', detail };
    + return { content };
  the bytes are gzip of the committed size | E2b is emptied
    - return { code: 'segment-malformed', detail: error.message };
    + return {};
verifier/counts.ts
  a segment has lines | a segment of events with no lines
    - return facts.lines > 0 && entry.lines === facts.lines && entry.first === first && entry.last === last;
    + return facts.lines === 0 || (entry.lines === facts.lines && entry.first === first && entry.last === last);
  a segment has the stated number of lines | a signed manifest with fewer lines in a segment, and as few in the counts
    - entry.lines === facts.lines &&
    +
  a segment has the stated first instant | a signed manifest with another first instant
    - && entry.first === first
    +
  the events are counted | a signed manifest with more events than lines
    - yield \`it counts \${counts.events} events and lists \${listed('events')}\`;
    + {}
  the quarantined lines are counted | an archive with more lines in the counts than there are
    - yield \`it counts \${quarantined} quarantined lines and lists \${listed('quarantine')}\`;
    + {}
  no more events are late than there are | a signed manifest with more late events than events
    - yield 'it counts more late events than events';
    + {}
  a quarantined revision is a revision | an archive with a quarantined revision that is not counted as a revision
    - yield 'it counts more quarantined revisions than revisions';
    + {}
  each reason has its count | an archive with a count of one no-id too many
    - yield \`it counts \${counts.quarantined[reason]} lines of "\${reason}" and has \${lines}\`;
    + {}
verifier/lines.ts
  a malformed line is reported | a segment of events with white space between tokens
    - addFinding('line-malformed'); continue;
    + continue;
  a quarantined line has a reason | an archive with an event that could be archived
    - if (reason === undefined) addFinding('quarantine-unfounded');
    +
  a quarantined line is under its date | an archive with a line under another date than that of its instant
    - if (!isInPlace) addFinding('date-wrong', \`belongs to \${place}\`);
    +
  a line without an instant is under the date of its run | an archive with a line without an instant under another date
    - own === undefined ? context.mayHoldUndated :
    + own === undefined ? true :
  quarantined lines are in order | an archive with lines that are repeated or not in the order of bytes
    - if (previous && Buffer.compare(previous.line, event.line) >= 0) addFinding('lines-unordered');
    +
  an unfit line is not under events/ | a segment of events with an event without an id
    - if (reason !== undefined) addFinding('event-unfit', reason);
    +
  an id is archived once | a segment of events with one id, as a number and as a string
    - addFinding('id-repeated', \`manifest \${earlierSeq} had already archived this id\`);
    + {}
  an event is under its date | a segment of events with an event of the day before
    - addFinding('date-wrong', \`belongs to \${date}\`);
    + {}
  events are in order | a segment of events with events out of order
    - if (previous && isDated(previous) && compareEvents(previous, event) >= 0) addFinding('lines-unordered');
    +
  the last line ends with a newline | a segment of events with a last line without a newline
    - yield undefined;
    +
  a line is UTF-8 | a segment of events with bytes that are not UTF-8
    - return isUtf8(line) ? readEvent(line) : undefined;
    + return readEvent(line);
verifier/lock.ts
  an object has a lock | no lock of E1a
    - addFinding('lock-missing', key);
    + {}
  a weaker lock is reported | locks in mode COMPLIANCE for 398 days
    - addFinding('lock-weaker', key, \`locked in mode \${lock.mode} until \${lock.until.toISOString()}\`);
    + {}
  a lock is as long as promised | locks in mode COMPLIANCE for 398 days
    - lock.until.getTime() < promised - CLOCKS_APART_MS ||
    +
  a lock is of the mode that was promised | locks in mode GOVERNANCE for 500 days
    - || isWeaker(lock.mode, retention.mode)
    +
shared/anchor.ts
  the key of an anchor names its hash | an anchor with a changed byte
    - && anchorKey(data, body) === key
    +
shared/event.ts
  a line is minified | a segment of events with white space between tokens
    - if (reader.at < line.length || reader.white > 0)
    + if (reader.at < line.length)
shared/dsse.ts
  an envelope has one spelling | M3 gets white space
    - return encode(envelope).equals(bytes) ? envelope : undefined;
    + return envelope;
shared/open-manifest.ts
  a signature has one spelling | the signature of a manifest gets the other value of s, which needs no key
    - problem: isOtherSpelling ? 'bad-signature' : problem
    + problem
`);
