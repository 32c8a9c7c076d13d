{{- define "deskpulse.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" }}
{{- end }}

{{- /* At most 40 characters, as names of the kinds of process come behind it, and a StatefulSet's pods are labelled by theirs. */}}
{{- define "deskpulse.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" }}
{{- else if contains (include "deskpulse.name" .) .Release.Name }}
{{- .Release.Name | trunc 40 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "deskpulse.name" .) | trunc 40 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "deskpulse.selector" -}}
app.kubernetes.io/name: {{ include "deskpulse.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "deskpulse.labels" -}}
{{ include "deskpulse.selector" . }}
app.kubernetes.io/version: {{ .Values.image.tag | default .Chart.AppVersion | trunc 63 | trimSuffix "-" | quote }}
app.kubernetes.io/part-of: deskpulse
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name (.Chart.Version | replace "+" "_") | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "deskpulse.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}
{{- end }}

{{- define "deskpulse.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{ default (include "deskpulse.fullname" .) .Values.serviceAccount.name }}
{{- else -}}
{{ default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- /*
The kinds of process: what follows `deskpulse`, where each says how it is, which secrets and files it reads, to whom it talks. Tests hold it
to deploy/processes.py and to the program. `people`: its port is for people and senders; elsewhere it has metrics and health only.
*/}}
{{- define "deskpulse.components" -}}
{{- $public := dict "wallboard" (list) "web" (list) }}
{{- range $name, $_ := $public }}
{{- $own := index $.Values $name }}
{{- $hosts := $own.allowHosts }}
{{- if $own.ingress.enabled }}{{ $hosts = prepend $hosts $own.ingress.host | uniq }}{{ end }}
{{- $_ := set $public $name $hosts }}
{{- end }}
worker:
  args: [worker]
  port: 9464
  ready: /readyz
  secrets: [redis, pseudonymKey]
  files: [policy, rules]
  calls: [kafka, redis]
incidents:
  args: [incidents]
  port: 9474
  ready: /readyz
  secrets: []
  files: [policy, rules]
  calls: [kafka]
notifier:
  args: [notifier, --host, {{ .Values.listen | quote }}]
  port: 8092
  ready: /readyz
  secrets: [database]
  files: [policy, rules, notify]
  calls: [kafka, database, outside]
  people: /acknowledge/
wallboard:
  args: [wallboard, --host, {{ .Values.listen | quote }}{{ range index $public "wallboard" }}, --allow-host, {{ . | quote }}{{ end }}]
  port: 8090
  ready: /healthz
  secrets: [redis, database]
  files: [policy, rules]
  calls: [redis, database]
  people: /
scores:
  args: [score, serve, --host, {{ .Values.listen | quote }}]
  port: 8091
  ready: /healthz
  secrets: [database, history, pseudonymKey]
  files: [policy, rules]
  calls: [kafka, database]
  people: /
history:
  args: [history{{ range $what, $days := .Values.history.keep }}, --keep, {{ printf "%s=%d" $what (int $days) | quote }}{{ end }}]
  port: 9475
  ready: /readyz
  secrets: [redis, database, history]
  files: [policy, rules]
  calls: [kafka, redis, database]
web:
  args: [web, --host, {{ .Values.listen | quote }}{{ range index $public "web" }}, --allow-host, {{ . | quote }}{{ end }}]
  port: 8093
  ready: /healthz
  secrets: [database, history, signOnSecret, pseudonymKey]
  files: [policy, rules, signOn]
  calls: [kafka, database, outside]
  people: /
gateway:
  args: [gateway, --host, {{ .Values.listen | quote }}]
  port: 8094
  ready: /readyz
  secrets: [pseudonymKey]
  files: [policy, gateway]
  calls: [kafka]
  people: /events/
{{- end }}
