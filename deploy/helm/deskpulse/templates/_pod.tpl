{{- /* Secrets by the name of their variable's end. */}}
{{- define "deskpulse.secretVariables" -}}
database: DATABASE
redis: REDIS
pseudonymKey: PSEUDONYM_KEY
kafkaPassword: SASL_PASSWORD
history: HISTORY
signOnSecret: SIGN_ON_SECRET
{{- end }}

{{- define "deskpulse.fileVariables" -}}
policy: POLICY
rules: RULES
notify: NOTIFY
gateway: GATEWAY
signOn: SIGN_ON
{{- end }}

{{- /* Where a secret stands, {name, key}, or nothing where it is not set. Arguments: root, which, what is put behind the release's own. */}}
{{- define "deskpulse.secret" -}}
{{- $root := index . 0 }}{{ $which := index . 1 }}
{{- $from := index $root.Values.secrets.from $which }}
{{- if index $root.Values.secrets.create $which }}
name: {{ include "deskpulse.fullname" $root }}{{ index . 2 }}
key: {{ kebabcase $which }}
{{- else if and (or $from.name $root.Values.secrets.existing) $from.key }}
name: {{ $from.name | default $root.Values.secrets.existing }}
key: {{ $from.key }}
{{- end }}
{{- end }}

{{- /* A list of the secrets that a pod is given, of those that it reads. Arguments: root, names. */}}
{{- define "deskpulse.given" -}}
{{- $root := index . 0 }}{{ $given := list }}
{{- range index . 1 }}
{{- if include "deskpulse.secret" (list $root . "") }}{{ $given = append $given . }}{{ end }}
{{- end }}
{{- if hasPrefix "SASL" $root.Values.kafka.securityProtocol }}{{ $given = append $given "kafkaPassword" }}{{ end }}
{{- toJson $given }}
{{- end }}

{{- /* A file of a volume from a secret or a config map; arguments: {secret, configMap, key}, path. */}}
{{- define "deskpulse.source" -}}
{{- $one := index . 0 }}
{{- if $one.secret }}
- secret: {name: {{ $one.secret | quote }}, items: [{key: {{ $one.key | quote }}, path: {{ index . 1 }}}]}
{{- else if $one.configMap }}
- configMap: {name: {{ $one.configMap | quote }}, items: [{key: {{ $one.key | quote }}, path: {{ index . 1 }}}]}
{{- end }}
{{- end }}

{{- define "deskpulse.certificates" -}}
{{- include "deskpulse.source" (list .Values.kafka.tls.ca "kafka-ca.pem") }}
{{- with .Values.kafka.tls.client }}
{{- if .secret }}
- secret:
    name: {{ .secret | quote }}
    items: [{key: {{ .certificateKey | quote }}, path: kafka-client.pem}, {key: {{ .keyKey | quote }}, path: kafka-client.key}]
{{- end }}
{{- end }}
{{- include "deskpulse.source" (list .Values.redis.ca "redis-ca.pem") }}
{{- include "deskpulse.source" (list .Values.database.ca "database-ca.pem") }}
{{- end }}

{{- /* What operators wrote, of those files that a process reads and that there are. Arguments: root, names. */}}
{{- define "deskpulse.written" -}}
{{- $root := index . 0 }}{{ $written := list }}
{{- range index . 1 }}
{{- $one := index $root.Values.files . }}
{{- if or $one.text $one.configMap }}{{ $written = append $written . }}{{ end }}
{{- end }}
{{- toJson $written }}
{{- end }}

{{- /* Variables of all processes. Arguments: root, secrets, files, own (values). */}}
{{- define "deskpulse.environment" -}}
{{- $root := index . 0 }}{{ $own := index . 3 }}{{ $values := $root.Values }}
- {name: DESKPULSE_BROKER, value: {{ $values.kafka.broker | quote }}}
- {name: DESKPULSE_SECURITY_PROTOCOL, value: {{ $values.kafka.securityProtocol }}}
- {name: DESKPULSE_PARTITIONS, value: {{ int $values.kafka.partitions | quote }}}
- {name: DESKPULSE_REPLICATION, value: {{ int $values.kafka.replication | quote }}}
{{- if hasPrefix "SASL" $values.kafka.securityProtocol }}
- {name: DESKPULSE_SASL_MECHANISM, value: {{ $values.kafka.sasl.mechanism }}}
- {name: DESKPULSE_SASL_USERNAME, value: {{ $values.kafka.sasl.username | quote }}}
{{- end }}
{{- if hasSuffix "SSL" $values.kafka.securityProtocol }}
{{- if or $values.kafka.tls.ca.secret $values.kafka.tls.ca.configMap }}
- {name: DESKPULSE_SSL_CA_FILE, value: /etc/deskpulse/tls/kafka-ca.pem}
{{- end }}
{{- if $values.kafka.tls.client.secret }}
- {name: DESKPULSE_SSL_CERT_FILE, value: /etc/deskpulse/tls/kafka-client.pem}
- {name: DESKPULSE_SSL_KEY_FILE, value: /etc/deskpulse/tls/kafka-client.key}
{{- end }}
{{- end }}
{{- with $values.kafka.version }}
- {name: DESKPULSE_BROKER_VERSION, value: {{ . | quote }}}
{{- end }}
{{- with $values.database.sslMode }}
- {name: PGSSLMODE, value: {{ . }}}
{{- end }}
{{- if or $values.database.ca.secret $values.database.ca.configMap }}
- {name: PGSSLROOTCERT, value: /etc/deskpulse/tls/database-ca.pem}
{{- end }}
{{- range $which, $end := include "deskpulse.secretVariables" $root | fromYaml }}
{{- if has $which (index $ 1) }}
- {name: DESKPULSE_{{ $end }}_FILE, value: /run/secrets/deskpulse/{{ lower $end }}}
{{- end }}
{{- end }}
{{- range $which, $end := include "deskpulse.fileVariables" $root | fromYaml }}
{{- if has $which (index $ 2) }}
- {name: DESKPULSE_{{ $end }}_FILE, value: /etc/deskpulse/files/{{ kebabcase $which }}.yaml}
{{- end }}
{{- end }}
{{- with $values.operation }}
{{- with .prefix }}
- {name: DESKPULSE_PREFIX, value: {{ . | quote }}}
{{- end }}
- {name: DESKPULSE_CUSTOMER_IDS, value: {{ .customerIds }}}
- {name: DESKPULSE_NAMES, value: {{ .names | quote }}}
- {name: DESKPULSE_RECORDS, value: {{ .records | quote }}}
- {name: DESKPULSE_LANGUAGE, value: {{ .language }}}
- {name: DESKPULSE_LOG, value: {{ .logLevel }}}
{{- end }}
- {name: DESKPULSE_LOG_FORMAT, value: json}
- {name: DESKPULSE_METRICS_HOST, value: {{ $values.listen | quote }}}
- {name: DESKPULSE_DATA_DIR, value: /data}
{{- with include "deskpulse.webUrl" $root }}
- {name: DESKPULSE_WEB_URL, value: {{ . | quote }}}
{{- end }}
{{- range $name, $value := merge (dict) $own.environment $values.operation.environment }}
- {name: {{ $name }}, value: {{ $value | quote }}}
{{- end }}
{{- range $name, $_ := $own.secrets }}
- {name: {{ $name }}_FILE, value: /run/secrets/own/{{ $name }}}
{{- end }}
{{- end }}

{{- define "deskpulse.webUrl" -}}
{{- if .Values.operation.webUrl }}
{{- .Values.operation.webUrl }}
{{- else if and .Values.web.enabled .Values.web.ingress.enabled }}
{{- printf "%s://%s" (ternary "https" "http" (ne .Values.web.ingress.tlsSecret "")) .Values.web.ingress.host }}
{{- end }}
{{- end }}

{{- define "deskpulse.volumes" -}}
{{- $root := index . 0 }}{{ $own := index . 3 }}{{ $suffix := index . 4 }}
- name: tmp
  emptyDir: {sizeLimit: 512Mi}
- name: data
  emptyDir: {sizeLimit: 512Mi}
{{- if index . 1 }}
- name: secrets
  projected:
    defaultMode: 0440
    sources:
      {{- range index . 1 }}
      {{- $end := index (include "deskpulse.secretVariables" $root | fromYaml) . }}
      {{- with include "deskpulse.secret" (list $root . $suffix) | fromYaml }}
      - secret: {name: {{ .name | quote }}, items: [{key: {{ .key | quote }}, path: {{ lower $end }}}]}
      {{- end }}
      {{- end }}
{{- end }}
{{- with $own.secrets }}
- name: own-secrets
  projected:
    defaultMode: 0440
    sources:
      {{- range $name, $one := . }}
      - secret: {name: {{ $one.name | quote }}, items: [{key: {{ $one.key | quote }}, path: {{ $name }}}]}
      {{- end }}
{{- end }}
{{- with include "deskpulse.certificates" $root }}
- name: certificates
  projected:
    defaultMode: 0440
    sources:
      {{- . | trim | nindent 6 }}
{{- end }}
{{- if index . 2 }}
- name: files
  projected:
    defaultMode: 0440
    sources:
      {{- range index . 2 }}
      {{- $one := index $root.Values.files . }}
      {{- $path := printf "%s.yaml" (kebabcase .) }}
      {{- if $one.text }}
      - configMap: {name: {{ include "deskpulse.fullname" $root }}, items: [{key: {{ $path }}, path: {{ $path }}}]}
      {{- else }}
      - configMap: {name: {{ $one.configMap | quote }}, items: [{key: {{ $one.key | quote }}, path: {{ $path }}}]}
      {{- end }}
      {{- end }}
{{- end }}
{{- end }}

{{- define "deskpulse.mounts" -}}
- {name: tmp, mountPath: /tmp}
- {name: data, mountPath: /data}
{{- if index . 1 }}
- {name: secrets, mountPath: /run/secrets/deskpulse, readOnly: true}
{{- end }}
{{- if (index . 3).secrets }}
- {name: own-secrets, mountPath: /run/secrets/own, readOnly: true}
{{- end }}
{{- if include "deskpulse.certificates" (index . 0) }}
- {name: certificates, mountPath: /etc/deskpulse/tls, readOnly: true}
{{- end }}
{{- if index . 2 }}
- {name: files, mountPath: /etc/deskpulse/files, readOnly: true}
{{- end }}
{{- end }}

{{- /* What a pod says of itself. Arguments: root, kind of process, its own values, secrets, files. */}}
{{- define "deskpulse.podMetadata" -}}
{{- $root := index . 0 }}{{ $name := index . 1 }}{{ $own := index . 2 }}
labels:
  {{- include "deskpulse.labels" $root | nindent 2 }}
  app.kubernetes.io/component: {{ $name }}
  {{- with $own.podLabels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
annotations:
  # A change of what Helm writes starts the processes that read it again; of what others write, kubectl rollout restart does.
  deskpulse/written: {{ list $root.Values.secrets.create (pick $root.Values "files") | toJson | sha256sum | quote }}
  {{- with $own.podAnnotations }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}

{{- /* Where a pod runs, and as whom. Arguments: root, kind of process, its own values. */}}
{{- define "deskpulse.place" -}}
{{- $root := index . 0 }}{{ $name := index . 1 }}{{ $own := index . 2 }}
serviceAccountName: {{ index . 3 }}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with $root.Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . | quote }}
  {{- end }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: {type: RuntimeDefault}
{{- with $own.priorityClassName }}
priorityClassName: {{ . | quote }}
{{- end }}
{{- with $own.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $own.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $own.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $own.topologySpread }}
{{- if .enabled }}
topologySpreadConstraints:
  {{- $when := .whenUnsatisfiable }}
  {{- range .keys }}
  - maxSkew: 1
    topologyKey: {{ . }}
    whenUnsatisfiable: {{ $when }}
    labelSelector:
      matchLabels:
        {{- include "deskpulse.selector" $root | nindent 8 }}
        app.kubernetes.io/component: {{ $name }}
  {{- end }}
{{- end }}
{{- end }}
{{- end }}

{{- define "deskpulse.confined" -}}
image: {{ include "deskpulse.image" . | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
{{- end }}

{{- /* A pod of one kind of process. Arguments: root, kind of process, its entry of deskpulse.components, its own values. */}}
{{- define "deskpulse.pod" -}}
{{- $root := index . 0 }}{{ $name := index . 1 }}{{ $kind := index . 2 }}{{ $own := index . 3 }}
{{- $secrets := include "deskpulse.given" (list $root $kind.secrets) | fromJsonArray }}
{{- $files := include "deskpulse.written" (list $root $kind.files) | fromJsonArray }}
{{- $all := list $root $secrets $files $own "" }}
metadata:
  {{- include "deskpulse.podMetadata" (list $root $name $own) | trim | nindent 2 }}
spec:
  {{- include "deskpulse.place" (list $root $name $own (include "deskpulse.serviceAccount" $root)) | trim | nindent 2 }}
  terminationGracePeriodSeconds: {{ int $own.terminationGracePeriodSeconds }}
  containers:
    - name: {{ $name }}
      {{- include "deskpulse.confined" $root | nindent 6 }}
      args: {{ toJson $kind.args }}
      env:
        {{- if eq $name "worker" }}
        # Known to Kafka by its pod's name: started again, it has its partitions back.
        - {name: DESKPULSE_INSTANCE, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
        - {name: DESKPULSE_STANDBY, value: {{ $own.standby | quote }}}
        {{- end }}
        {{- include "deskpulse.environment" $all | trim | nindent 8 }}
      ports:
        - {name: http, containerPort: {{ $kind.port }}}
      # Until it answers for the first time; then /healthz says whether to start it again would help, and {{ $kind.ready }} whether it does its work.
      startupProbe:
        httpGet: {path: /healthz, port: http}
        periodSeconds: 5
        timeoutSeconds: 5
        failureThreshold: 60
      livenessProbe:
        httpGet: {path: /healthz, port: http}
        periodSeconds: 10
        timeoutSeconds: 5
        failureThreshold: 6
      readinessProbe:
        httpGet: {path: {{ $kind.ready }}, port: http}
        periodSeconds: 5
        timeoutSeconds: 5
        failureThreshold: 2
      resources:
        {{- toYaml $own.resources | nindent 8 }}
      volumeMounts:
        {{- include "deskpulse.mounts" $all | trim | nindent 8 }}
  volumes:
    {{- include "deskpulse.volumes" $all | trim | nindent 4 }}
{{- end }}
