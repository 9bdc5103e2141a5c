import { ColorName } from "../mark";
import {
  HistoryTable,
  Lines,
  RolledBackList,
  SampleTable,
  SchemaTable,
  Time,
  VersionName,
  whatMoved,
} from "../tables";
import type { ClusterState, ColorView } from "./state";

/** Which cluster it is, for a heading; nothing where there is only one. */
export function inCluster({ name }: Pick<ClusterState, "name">): string {
  return name === null ? "" : ` in ${name}`;
}

/** Where traffic is, and whether that is well. */
export function Traffic({ cluster }: { cluster: ClusterState }) {
  const { release, away } = cluster;
  const where = inCluster(cluster);
  return (
    <section aria-label={`Traffic${where}`}>
      {away !== null && (
        <div class="alert">
          <p>
            The cluster{where} could not be read since <Time at={away.since} />.
            {release !== null && " What is shown is from before."}
          </p>
          <p class="quiet">{away.why}</p>
        </div>
      )}
      {release === null ? (
        away === null && <p>The cluster{where} is being asked.</p>
      ) : (
        <>
          <h2>
            {release.live === null ? (
              `No color is live yet${where}`
            ) : (
              <>
                Traffic{where} is on <ColorName color={release.live} />
              </>
            )}
          </h2>
          {release.attention.length > 0 && (
            <div class="alert">
              <Lines lines={release.attention} />
            </div>
          )}
          <div class="colors">
            {release.colors.map((color) => (
              <ColorCard key={color.color} color={color} />
            ))}
          </div>
        </>
      )}
    </section>
  );
}

function ColorCard({ color: { color, role, tag, image, ready, wanted, weight } }: { color: ColorView }) {
  return (
    <article class={`card ${color} ${role}`} data-color={color}>
      <h3>
        <ColorName color={color} /> <span class="role">{role}</span>
      </h3>
      <p class="weight">
        <strong>{weight} %</strong> of traffic
      </p>
      <dl>
        <dt>version</dt>
        <dd>
          <code>{tag ?? "none"}</code>
        </dd>
        <dt>pods ready</dt>
        <dd>
          {ready} of {wanted}
        </dd>
        <dt>image</dt>
        <dd>
          <code class="long">{image ?? "none"}</code>
        </dd>
      </dl>
    </article>
  );
}

/** What led there, and what can follow. */
export function Facts({ cluster }: { cluster: ClusterState }) {
  const where = inCluster(cluster);
  if (cluster.release === null) return null;
  const { schema, last, rollback, rolledBack, samples } = cluster.release;
  return (
    <div class="facts">
      <section>
        <h2>Last move of traffic{where}</h2>
        {last === null ? (
          <p>None has been noted.</p>
        ) : (
          <>
            <p>
              {whatMoved(last.move)} from <VersionName version={last.move.from} /> to{" "}
              <VersionName version={last.move.to} />, <Time at={last.move.at} />: {last.state}
            </p>
            <p class="quiet">
              {last.move.who}: {last.move.why}
            </p>
          </>
        )}
        <h3>Analysis</h3>
        <SampleTable label={`Samples of the analysis${where}`} samples={samples} />
        <h3>Rollback</h3>
        <p class="said">
          {"to" in rollback ? `A rollback could return traffic to ${rollback.to}.` : rollback.why}
        </p>
      </section>
      <section>
        <h2>Schema{where}</h2>
        <SchemaTable label={`Migrations${where}`} schema={schema} />
      </section>
      <section>
        <h2>Rolled back before{where}</h2>
        <RolledBackList versions={rolledBack} />
      </section>
    </div>
  );
}

export function History({ cluster }: { cluster: ClusterState }) {
  const where = inCluster(cluster);
  if (cluster.release === null) return null;
  return (
    <section>
      <h2>History{where}</h2>
      <HistoryTable label={`History${where}`} moves={cluster.release.history} />
    </section>
  );
}
